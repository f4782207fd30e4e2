"""Server time of one request of 1,024 images, beside the bare framework on the same array.

The client's time is compared with a lower bound: the bare framework, plus bare ASGI for as many bytes.
"""

import http.client
import re
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.serving.baseline_apps import ECHO
from benchmarks.serving.cases import SINGLE_IMAGES, Case
from benchmarks.serving.options import Options
from benchmarks.serving.processes import bare_framework, empty_endpoint, pinned, service
from benchmarks.serving.tables import verdict
from benchmarks.serving.wrk import Request
from training.reporting.markdown_tables import spread, table

COUNT: Final = 1024

CASES: Final = tuple(Case(case.kind, case.framework, COUNT) for case in SINGLE_IMAGES if case.kind == "npy")

SHARE: Final = 0.9
"""Goal: the bare framework's time is at least this share of the server's."""

Figure = dict[str, Any]


def measure(options: Options) -> list[Figure]:
    """Return, by framework and round, the seconds of bare calls and of sequential requests."""
    cases = options.choose(CASES)
    frameworks = [case.framework for case in cases]
    core = options.cores.server
    figures: list[Figure] = [{"case": str(case), "runs": []} for case in cases]
    with ExitStack() as stack:
        server = stack.enter_context(service(core, frameworks=frameworks, arguments=options.server_args))
        bare = {name: stack.enter_context(bare_framework(core, framework=name)) for name in frameworks}
        echo = stack.enter_context(empty_endpoint(core, kind=ECHO))
        for case in cases:
            case.check(server.url)
            bare[case.framework](COUNT, 1)  # warms up
        for _ in range(options.rounds):
            for case, figure in zip(cases, figures, strict=True):
                alone = bare[case.framework](COUNT, options.seconds)
                with pinned(options.cores.client):
                    echoed = _repeat(replace(case.request(server.url), url=echo.url), options.seconds)["wall"]
                    seconds = {"bare": alone, "echo": echoed, **_repeat(case.request(server.url), options.seconds)}
                figure["runs"].append({f"{name}_ms": statistics.median(s) * 1e3 for name, s in seconds.items()})
    return figures


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the table."""
    head = ["request", "bare framework, ms", "server, ms", "the model's part of it, ms", "bare / server", "goal", "met"]
    head += ["seen by the client, ms", "as many bytes by bare ASGI, ms", "(bare + bytes) / seen"]
    return table(head, map(_row, figures))


def _row(figure: Figure) -> list[str]:
    runs = figure["runs"]
    shares = [run["bare_ms"] / run["total_ms"] for run in runs]
    least = [(run["bare_ms"] + run["echo_ms"]) / run["wall_ms"] for run in runs]
    bare, total, model, wall, echo = (
        spread([run[f"{name}_ms"] for run in runs], 1) for name in ("bare", "total", "model", "wall", "echo")
    )
    goal = verdict(statistics.median(shares), at_least=SHARE)
    return [figure["case"], bare, total, model, spread(shares), *goal, wall, echo, spread(least)]


def _repeat(request: Request, seconds: float) -> dict[str, list[float]]:
    """Send the request repeatedly; return the seconds of each, as measured by the client and by the server."""
    address = urlsplit(request.url)
    connection = http.client.HTTPConnection(address.netloc)
    taken: dict[str, list[float]] = {"wall": []}
    deadline = time.perf_counter() + seconds
    while (start := time.perf_counter()) < deadline:
        connection.request("POST", f"{address.path}?{address.query}", request.body, dict(request.headers))
        with connection.getresponse() as answer:
            answer.read()
            taken["wall"].append(time.perf_counter() - start)
        if answer.status != 200:
            raise SystemExit(f"{request.url}: {answer.status} instead of an answer")
        for stage, milliseconds in re.findall(r"(model|total);dur=([\d.]+)", answer.headers.get("Server-Timing", "")):
            taken.setdefault(stage, []).append(float(milliseconds) / 1e3)
    connection.close()
    return taken
