"""Latency of health checks and of one-image requests while large requests occupy one framework."""

from collections.abc import Sequence
from typing import Any, Final

from benchmarks.serving.cases import Case
from benchmarks.serving.open_loop import Stream, ask
from benchmarks.serving.options import Options
from benchmarks.serving.processes import service
from benchmarks.serving.tables import counts, verdict
from benchmarks.serving.wrk import Request
from training.frameworks import FRAMEWORKS
from training.reporting.markdown_tables import table

RATE: Final = 50.0
"""Small requests per second, of each kind."""

OTHERS_MS: Final = 100.0
"""Goal: 99th percentile of health checks and of requests to another framework."""

SAME_MS: Final = 250.0
"""Goal: 99th percentile of requests to the busy framework."""

Figure = dict[str, Any]


def measure(options: Options) -> list[Figure]:
    """Return the latencies of small requests, by framework and by kind of large request."""
    figures: list[Figure] = []
    with service(options.cores.server, frameworks=FRAMEWORKS, arguments=options.server_args) as server:
        for busy in FRAMEWORKS:
            for name, large in large_requests(busy, server.url).items():
                if options.wants(name):
                    figures.append({"case": name, "busy": busy} | _watch(busy, large, server.url, options))
    return figures


def large_requests(framework: str, url: str) -> dict[str, Request]:
    """Return the large requests."""
    images = Case("npy", framework, 1024).request(url)
    scored = Case("npy", framework, 64).request(url)
    score = Request(f"{url}/score?framework={framework}&samples=5000", {**scored.headers, "Accept": "*/*"}, scored.body)
    return {f"1,024 images {framework}": images, f"score 64 images 5,000 samples {framework}": score}


def _watch(busy: str, large: Request, url: str, options: Options) -> dict[str, Any]:
    other = next(framework for framework in FRAMEWORKS if framework != busy)
    small = {
        "health": Request(f"{url}/healthz"),
        "other": Case("npy", other).request(url),
        "same": Case("npy", busy).request(url),
    }
    streams = [Stream(request, rate=RATE) for request in small.values()]
    streams.append(Stream(large, rate=float("inf"), connections=1))
    *watched, hog = ask(streams, core=options.cores.client, seconds=options.rounds * options.seconds)
    figure: dict[str, Any] = {"large": hog.statuses(), "large_p50_ms": hog.percentile_ms(50)}
    for name, outcome in zip(small, watched, strict=True):
        figure[name] = {
            "p50_ms": outcome.percentile_ms(50),
            "p99_ms": outcome.percentile_ms(99),
            "statuses": outcome.statuses(),
        }
    return figure


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the table."""
    head = ["in a row", "its median, ms", "small requests", "p50, ms", "p99, ms", "goal for p99", "met", "answers"]
    return table(head, [row for figure in figures for row in _rows(figure)])


def _rows(figure: Figure) -> list[list[str]]:
    rows = []
    for name, goal in (("health", OTHERS_MS), ("other", OTHERS_MS), ("same", SAME_MS)):
        result = figure[name]
        rows.append(
            [
                f"{figure['case']} ({counts(figure['large'])})",
                f"{figure['large_p50_ms']:,.0f}",
                {"health": "/healthz", "other": "another framework", "same": "the same framework"}[name],
                f"{result['p50_ms']:.1f}",
                f"{result['p99_ms']:.1f}",
                *verdict(result["p99_ms"], below=goal, unit=" ms"),
                counts(result["statuses"]),
            ]
        )
    return rows
