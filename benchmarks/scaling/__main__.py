"""Measure the forms of the service beyond one process, and write the tables of `docs/scaling.md`.

    python -m benchmarks.scaling --part isolation
    python -m benchmarks.scaling --part all --write

Needs wrk.
"""

import os

from benchmarks.command_line import make_parser
from benchmarks.records import take_record
from benchmarks.scaling.options import Options
from benchmarks.scaling.page import PARTS, render, write
from benchmarks.serving.wrk import require_wrk


def main() -> None:
    """Measure, print the tables, and write them if requested."""
    parser = make_parser("benchmarks.scaling", __doc__)
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all", help="what to measure")
    parser.add_argument("--rounds", type=int, default=3, help="how often each case is measured")
    parser.add_argument("--seconds", type=int, default=3, help="how long, each time")
    parser.add_argument("--cores", type=int, default=0, help="cores of the service; by default all")
    parser.add_argument("--ray", metavar="PYTHON", help="Python with Ray and the service, for the part ray")
    parser.add_argument("--write", action="store_true", help="write docs/scaling.json and docs/scaling.md")
    args = parser.parse_args()
    require_wrk()
    cores = sorted(os.sched_getaffinity(0))
    options = Options(
        rounds=args.rounds,
        seconds=args.seconds,
        server_cores=tuple(cores[: args.cores or len(cores)]),
        client_core=cores[-1],
        ray=args.ray,
    )
    for name in PARTS if args.part == "all" else [args.part]:
        record = take_record(PARTS[name], options)
        print("\n".join(render(name, record)), flush=True)
        if args.write:
            write(name, record)


if __name__ == "__main__":
    main()
