"""Throughput of one-image requests, as a share of an empty endpoint's in the same run.

For comparison: the share of a lower bound, which is bare ASGI plus the bare framework's call of a batch of as many
images as there are connections.
"""

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, Final

from benchmarks.serving.baseline_apps import APPS
from benchmarks.serving.cases import SINGLE_IMAGES
from benchmarks.serving.options import Options
from benchmarks.serving.processes import Server, bare_framework, empty_endpoint, service
from benchmarks.serving.tables import counts, verdict
from benchmarks.serving.wrk import Request, run_wrk
from training.reporting.markdown_tables import spread, table

CONNECTIONS: Final = (64, 1)

SHARES: Final[Mapping[tuple[str, int], float]] = {
    ("npy", 64): 1.0,
    ("npy", 1): 0.65,
    ("JSON", 64): 0.6,
    ("JSON", 1): 0.45,
}
"""Goals of PyTorch: minimum share of the empty FastAPI endpoint, by kind and connections."""

BESIDE_PYTORCH: Final[Mapping[str, float]] = {"jax": 0.9, "tensorflow": 0.6}
"""Goals of the others: minimum share of PyTorch's throughput."""

Figure = dict[str, Any]


def measure(options: Options) -> list[Figure]:
    """Return the results by case and round; each run directly follows one of the empty endpoint."""
    cases = [case for case in SINGLE_IMAGES if options.wants(str(case))]
    frameworks = sorted({case.framework for case in cases}) or ["pytorch"]
    core = options.cores.server
    targets: dict[tuple[str, str], tuple[Server, Request]] = {}
    with ExitStack() as stack:
        app_server = stack.enter_context(service(core, frameworks=frameworks, arguments=options.server_args))
        for kind in APPS:
            server = stack.enter_context(empty_endpoint(core, kind=kind))
            targets["empty", kind] = server, Request(server.url)
        empty = targets.pop(("empty", "FastAPI"))
        bare = {name: stack.enter_context(bare_framework(core, framework=name)) for name in frameworks}
        empties = {key: value for key, value in targets.items() if options.wants(" ".join(key))}
        for case in cases:
            case.check(app_server.url)
        targets = {(case.kind, case.framework): (app_server, case.request(app_server.url)) for case in cases} | empties
        for server, request in (empty, *targets.values()):
            _run(server, request, connections=CONNECTIONS[0], core=options.cores.client, seconds=1)  # warms up
        figures: list[Figure] = [
            {"kind": kind, "by": by, "connections": connections, "runs": []}
            for connections in CONNECTIONS
            for kind, by in targets
        ]
        for _ in range(options.rounds):
            for figure in figures:
                before, run = (
                    _run(
                        server,
                        request,
                        connections=figure["connections"],
                        core=options.cores.client,
                        seconds=options.seconds,
                    )
                    for server, request in (empty, targets[figure["kind"], figure["by"]])
                )
                run |= {f"empty_{name}": value for name, value in before.items()}
                if figure["by"] in bare:
                    count = figure["connections"]
                    run["bare_s"] = statistics.median(bare[figure["by"]](count, options.seconds)) / count
                figure["runs"].append(run)
    return figures


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the table."""
    head = ["request", "by", "connections", "requests/s", "share of empty FastAPI", "goal", "met", "the least's share"]
    head += ["of PyTorch", "goal", "met", "CPU time, us", "share by CPU time", "p50, ms", "p99, ms", "failures"]
    pytorch = {(figure["kind"], figure["connections"]): shares(figure) for figure in figures if _is_pytorch(figure)}
    least = {figure["connections"]: figure for figure in figures if figure["by"] == "ASGI"}
    return table(head, [_row(figure, pytorch, least.get(figure["connections"])) for figure in figures])


def shares(figure: Figure) -> list[float]:
    """Return the requests per second of each round, divided by those of the preceding empty endpoint."""
    return [run["requests_per_s"] / run["empty_requests_per_s"] for run in figure["runs"]]


def _run(server: Server, request: Request, *, connections: int, core: int, seconds: int) -> dict[str, float]:
    """Return wrk's results and the server's CPU time per request, which other load on the core affects little."""
    before = server.cpu_seconds()
    run = run_wrk(request, core=core, connections=connections, seconds=seconds)
    return asdict(run) | {"cpu_us": (server.cpu_seconds() - before) / max(run.requests, 1) * 1e6}


def shares_of_the_least(figure: Figure, asgi: Figure | None) -> list[float]:
    """Return the same for bare ASGI plus the bare framework; nothing if either wasn't measured."""
    if asgi is None or "bare_s" not in figure["runs"][0]:
        return []
    return [
        1 / (1 / share + run["bare_s"] * run["empty_requests_per_s"])
        for run, share in zip(figure["runs"], shares(asgi), strict=True)
    ]


def _row(figure: Figure, pytorch: Mapping[tuple[str, int], Sequence[float]], asgi: Figure | None) -> list[str]:
    runs = figure["runs"]
    key = (figure["kind"], figure["connections"])
    own = shares(figure)
    cells = [figure["kind"], figure["by"], str(figure["connections"])]
    cells += [spread([run["requests_per_s"] for run in runs], 0), spread(own)]
    cells += verdict(statistics.median(own), at_least=SHARES[key] if _is_pytorch(figure) else None)
    least = shares_of_the_least(figure, asgi)
    cells += [spread(least) if least else "-"]
    if figure["by"] in BESIDE_PYTORCH and key in pytorch:
        beside = [share / pytorch_share for share, pytorch_share in zip(own, pytorch[key], strict=True)]
        cells += [spread(beside), *verdict(statistics.median(beside), at_least=BESIDE_PYTORCH[figure["by"]])]
    else:
        cells += ["-", "-", "-"]
    cells += [spread([run["cpu_us"] for run in runs], 0)]
    cells += [spread([run["empty_cpu_us"] / run["cpu_us"] for run in runs])]
    cells += [spread([run[name] for run in runs]) for name in ("p50_ms", "p99_ms")]
    failures = {name: sum(run[name] for run in runs) for name in ("bad_statuses", "socket_errors")}
    failed = counts({name.replace("_", " "): number for name, number in failures.items() if number})
    return [*cells, failed if failed == "none" else f"**{failed}**"]


def _is_pytorch(figure: Figure) -> bool:
    return bool(figure["by"] == "pytorch")
