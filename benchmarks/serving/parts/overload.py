"""What is still answered, and how soon, at twice the highest throughput."""

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.serving.cases import SINGLE_IMAGES, Case
from benchmarks.serving.open_loop import Stream, ask
from benchmarks.serving.options import Options
from benchmarks.serving.processes import service
from benchmarks.serving.tables import counts, spread, table, verdict

CASES: Final = tuple(Case("npy", case.framework, count) for case in SINGLE_IMAGES[:3] for count in (1, 64))

CROWD: Final = 1000
"""Connections of the overload: as many as the service takes unless told otherwise; further ones get 503."""

LENGTHS: Final = 3
"""So many times as long as other cases: queues take a while to fill."""

GOODPUT: Final = 0.9
"""Goal: at least this share of the highest throughput is still answered with 200."""

Figure = dict[str, Any]


def measure(options: Options) -> list[Figure]:
    """Return, for each case and round, the highest throughput and what became of requests at twice that rate."""
    cases = options.choose(CASES)
    figures: list[Figure] = [{"case": str(case), "bound_ms": options.bound_ms, "runs": []} for case in cases]
    frameworks = sorted({case.framework for case in cases})
    with service(options.cores.server, frameworks=frameworks, arguments=options.server_args) as found:
        for case in cases:
            case.check(found.url)
            case.highest(found.url, core=options.cores.client, seconds=1)  # warms up
        for _ in range(options.rounds):
            for case, figure in zip(cases, figures, strict=True):
                highest = case.highest(found.url, core=options.cores.client, seconds=options.seconds)
                stream = Stream(case.request(found.url), rate=2 * highest, connections=CROWD)
                (outcome,) = ask([stream], core=options.cores.client, seconds=LENGTHS * options.seconds)
                figure["runs"].append(
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
