"""Cost of a request's headers and of checks on each request: CPU time beside the empty endpoint's in the same round.

Clients send the same headers each time, or another `traceparent` in each request; the service checks nothing, or has a
rate limit, CORS and the access log on.
"""

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import Any, Final

from benchmarks.serving.cases import SINGLE_IMAGES
from benchmarks.serving.options import Options
from benchmarks.serving.processes import Server, empty_endpoint, service
from benchmarks.serving.tables import verdict
from benchmarks.serving.wrk import Request, run_wrk
from training.reporting.markdown_tables import spread, table

CONNECTIONS: Final = (64, 1)

CHECKS: Final = (
    "--rate-limit",
    "10000000/second",
    "--cors-origins",
    "https://example.org",
    "--access-log",
    "true",
    "--log-level",
    "info",
)

ORIGIN: Final = {"Origin": "https://example.org"}

GOALS: Final = {
    ("npy", True, False): 1.0,
    ("JSON", True, False): 0.6,
    ("npy", True, True): 0.8,
    ("JSON", True, True): 0.5,
}
"""At 64 connections: at least this share by kind, and whether headers differ and requests are checked."""

Figure = dict[str, Any]


def measure(options: Options) -> list[Figure]:
    """Return the figures of each case in rounds, each run right after one of the empty endpoint."""
    cases = [case for case in SINGLE_IMAGES if case.framework == "pytorch" and options.wants(str(case))]
    core = options.cores.server
    with ExitStack() as stack:
        empty = stack.enter_context(empty_endpoint(core, kind="FastAPI"))
        servers = {
            is_checked: stack.enter_context(
                service(core, frameworks=["pytorch"], arguments=[*(CHECKS if is_checked else ()), *options.server_args])
            )
            for is_checked in (False, True)
        }
        figures: list[Figure] = [
            {"kind": case.kind, "differs": differs, "checked": is_checked, "connections": connections, "runs": []}
            for connections in CONNECTIONS
            for case in cases
            for is_checked in (False, True)
            for differs in (False, True)
        ]
        by_kind = {case.kind: case for case in cases}
        for case in cases:
            case.check(servers[False].url)
        for _ in range(options.rounds):
            for figure in figures:
                server = servers[figure["checked"]]
                request = by_kind[figure["kind"]].request(server.url)
                headers = dict(request.headers) | (ORIGIN if figure["checked"] else {})
                request = replace(request, headers=headers, is_traced=figure["differs"])
                figure["runs"].append(run_pair(empty, server, request, options, connections=figure["connections"]))
    return figures


def run_pair(
    empty: Server, server: Server, request: Request, options: Options, *, connections: int
) -> dict[str, float]:
    """Return the results of a run of the empty endpoint, as `empty_...`, and of one of the service right after it."""
    before, run = (
        run_counted(target, sent, options, connections=connections)
        for target, sent in ((empty, Request(empty.url)), (server, request))
    )
    return run | {f"empty_{name}": value for name, value in before.items()}


def run_counted(server: Server, request: Request, options: Options, *, connections: int) -> dict[str, float]:
    """Return the results of wrk, and the server's CPU time for each request."""
    before = server.cpu_seconds()
    run = run_wrk(request, core=options.cores.client, connections=connections, seconds=options.seconds)
    return asdict(run) | {"cpu_us": (server.cpu_seconds() - before) / max(run.requests, 1) * 1e6}


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the table."""
    head = ["request", "headers", "rate limit, CORS, access log", "connections", "CPU time, us"]
    head += ["share of empty FastAPI by CPU time", "goal", "met", "share by requests/s", "failures"]
    return table(head, [_row(figure) for figure in figures])


def _row(figure: Figure) -> list[str]:
    runs = figure["runs"]
    shares = [run["empty_cpu_us"] / run["cpu_us"] for run in runs]
    goal = GOALS.get((figure["kind"], figure["differs"], figure["checked"])) if figure["connections"] > 1 else None
    failures = sum(run["bad_statuses"] + run["socket_errors"] for run in runs)
    return [
        figure["kind"],
        "differ" if figure["differs"] else "same",
        "on" if figure["checked"] else "off",
        str(figure["connections"]),
        spread([run["cpu_us"] for run in runs], 0),
        spread(shares),
        *verdict(statistics.median(shares), at_least=goal),
        spread([run["requests_per_s"] / run["empty_requests_per_s"] for run in runs]),
        str(failures) if not failures else f"**{failures}**",
    ]
