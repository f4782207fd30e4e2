"""Goodput and latency at twice the highest throughput."""

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.serving.cases import SINGLE_IMAGES, Case
from benchmarks.serving.options import Options
from benchmarks.serving.shares_of_highest import run_at_share
from benchmarks.serving.tables import counts, verdict
from training.reporting.markdown_tables import spread, table

CASES: Final = tuple(Case("npy", case.framework, count) for case in SINGLE_IMAGES[:3] for count in (1, 64))

CROWD: Final = 1000
"""Connections of the overload: the service's default limit; further ones get 503."""

LENGTHS: Final = 3
"""Duration as a multiple of other cases: queues take a while to fill."""

GOODPUT: Final = 0.9
"""Goal: minimum goodput (responses with 200) as a share of the highest throughput."""

Figure = dict[str, Any]


def measure(options: Options) -> list[Figure]:
    """Return, by case and round, the highest throughput and the results at twice that rate."""
    cases = options.choose(CASES)
    figures: list[Figure] = [{"case": str(case), "bound_ms": options.bound_ms, "runs": []} for case in cases]
    for index, highest, outcome in run_at_share(cases, options, 2, connections=CROWD, lengths=LENGTHS):
        figures[index]["runs"].append(
            {
                "highest_per_s": highest,
                "goodput_per_s": outcome.goodput_per_s,
                "p50_ms": outcome.percentile_ms(50),
                "p99_ms": outcome.percentile_ms(99),
                "refused_p99_ms": outcome.percentile_ms(99, 429),
                "client_late_ms": outcome.latest_s * 1e3,
                "statuses": outcome.statuses(),
            }
        )
    return figures


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the table."""
    head = [
        "request",
        "highest, requests/s",
        "of it answered at twice that",
        "goal",
        "met",
        "p50, ms",
        "p99, ms",
        "goal",
    ]
    head += ["met", "answers", "p99 of 429, ms", "client late by at most, ms"]
    return table(head, map(_row, figures))


def _row(figure: Figure) -> list[str]:
    runs = figure["runs"]
    shares = [run["goodput_per_s"] / run["highest_per_s"] for run in runs]
    slowest = [run["p99_ms"] for run in runs]
    statuses: Counter[str] = Counter()
    for run in runs:
        statuses.update(run["statuses"])
    return [
        figure["case"],
        spread([run["highest_per_s"] for run in runs], 0),
        spread(shares),
        *verdict(statistics.median(shares), at_least=GOODPUT),
        spread([run["p50_ms"] for run in runs], 0),
        spread(slowest, 0),
        *verdict(statistics.median(slowest), below=figure["bound_ms"], unit=" ms"),
        counts(statuses),
        spread([run["refused_p99_ms"] for run in runs], 0),
        spread([run["client_late_ms"] for run in runs], 1),
    ]
