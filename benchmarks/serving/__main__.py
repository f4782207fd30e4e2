"""Measure the service on one core, from another, beside an endpoint that does nothing.

    python -m benchmarks.serving
    python -m benchmarks.serving --only 'npy pytorch' --rounds 1
    python -m benchmarks.serving --part all --json docs/performance.json

Prints Markdown. Needs wrk, and two cores that do nothing else.
"""

import shlex
from pathlib import Path

from benchmarks.command_line import make_parser
from benchmarks.records import keep_record, take_record
from benchmarks.serving.measurements import PARTS, render
from benchmarks.serving.options import Options
from benchmarks.serving.processes import choose_cores
from benchmarks.serving.wrk import require_wrk


def main() -> None:
    """Measure, print the tables, and write the JSON file if requested."""
    parser = make_parser("benchmarks.serving", __doc__)
    parser.add_argument("--part", choices=[*PARTS, "all"], default="throughput", help="what to measure")
    parser.add_argument(
        "--only", metavar="PATTERN", default="", help="cases whose name has this, such as 'npy pytorch'"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each case is measured")
    parser.add_argument("--seconds", type=int, default=3, help="how long, each time")
    parser.add_argument("--minutes", type=float, default=4, help="how long memory is watched")
    parser.add_argument("--bound-ms", type=float, default=1000, help="what p99 must stay below at overload")
    parser.add_argument("--server-args", default="", help="further options of `python -m app`, as one word")
    parser.add_argument("--earlier", metavar="DIR", help="checkout of an earlier commit, for the part of that name")
    parser.add_argument("--pytriton", metavar="PYTHON", help="Python with nvidia-pytriton, to measure Triton too")
    parser.add_argument("--json", type=Path, help="file for all figures; parts that it has already are kept")
    args = parser.parse_args()
    require_wrk()
    options = Options(
        cores=choose_cores(),
        rounds=args.rounds,
        seconds=args.seconds,
        minutes=args.minutes,
        bound_ms=args.bound_ms,
        only=args.only,
        server_args=tuple(shlex.split(args.server_args)),
        earlier=args.earlier,
        pytriton=args.pytriton,
    )
    parts = [name for name in PARTS if name != "earlier" or args.earlier] if args.part == "all" else [args.part]
    for name in parts:
        record = take_record(PARTS[name], options)
        if args.json:
            keep_record(args.json, name, record)
        print("\n".join([*render(name, record), ""]), flush=True)


if __name__ == "__main__":
    main()
