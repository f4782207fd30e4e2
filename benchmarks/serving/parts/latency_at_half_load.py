"""How long requests take at half of the highest throughput: the slowest hundredth beside the middle."""

import statistics
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.serving.cases import SINGLE_IMAGES
from benchmarks.serving.open_loop import Stream, ask
from benchmarks.serving.options import Options
from benchmarks.serving.processes import service
from benchmarks.serving.tables import spread, table, verdict

TAIL: Final = 5.0
"""Goal: the 99th percentile is below so many times the median."""

Figure = dict[str, Any]


def measure(options: Options) -> list[Figure]:
    """Return, for each case and round, the highest throughput and the latencies at half of it."""
    cases = options.choose(SINGLE_IMAGES)
    figures: list[Figure] = [{"case": str(case), "runs": []} for case in cases]
    frameworks = sorted({case.framework for case in cases})
    with service(options.cores.server, frameworks=frameworks, arguments=options.server_args) as found:
        for case in cases:
            case.check(found.url)
            case.highest(found.url, core=options.cores.client, seconds=1)  # warms up
        for _ in range(options.rounds):
            for case, figure in zip(cases, figures, strict=True):
                highest = case.highest(found.url, core=options.cores.client, seconds=options.seconds)
                stream = Stream(case.request(found.url), rate=highest / 2)
                (outcome,) = ask([stream], core=options.cores.client, seconds=options.seconds)
                figure["runs"].append(
                    {
                        "rate": highest / 2,
                        "p50_ms": outcome.percentile_ms(50),
                        "p99_ms": outcome.percentile_ms(99),
                        "client_late_ms": outcome.latest_s * 1e3,
                        "statuses": outcome.statuses(),
                    }
                )
    return figures


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the table."""
    head = ["request", "requests/s (half of the highest)", "p50, ms", "p99, ms", "p99 / p50", "goal", "met"]
    return table([*head, "client late by at most, ms", "other than 200"], map(_row, figures))


def _row(figure: Figure) -> list[str]:
    runs = figure["runs"]
    tails = [run["p99_ms"] / run["p50_ms"] for run in runs]
    others = sum(count for run in runs for status, count in run["statuses"].items() if status != "200")
    return [
        figure["case"],
        spread([run["rate"] for run in runs], 0),
        *(spread([run[name] for run in runs]) for name in ("p50_ms", "p99_ms")),
        spread(tails, 1),
        *verdict(statistics.median(tails), below=TAIL),
        spread([run["client_late_ms"] for run in runs], 1),
        f"{others:,}",
    ]
