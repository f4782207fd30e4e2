"""Latency at half of the highest throughput: 99th percentile and median."""

import statistics
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.serving.cases import SINGLE_IMAGES
from benchmarks.serving.options import Options
from benchmarks.serving.shares_of_highest import run_at_share
from benchmarks.serving.tables import verdict
from training.reporting.markdown_tables import spread, table

TAIL: Final = 5.0
"""Goal: maximum ratio of the 99th percentile to the median."""

Figure = dict[str, Any]


def measure(options: Options) -> list[Figure]:
    """Return, by case and round, the highest throughput and the latencies at half of it."""
    cases = options.choose(SINGLE_IMAGES)
    figures: list[Figure] = [{"case": str(case), "runs": []} for case in cases]
    for index, highest, outcome in run_at_share(cases, options, 0.5):
        figures[index]["runs"].append(
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
    return table([*head, "client late by at most, ms", "statuses other than 200"], map(_row, figures))


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
