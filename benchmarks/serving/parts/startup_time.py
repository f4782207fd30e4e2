"""Start-up time of the service: to the first response, the first framework, and all three."""

import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from benchmarks.serving.options import Options
from benchmarks.serving.processes import service
from benchmarks.serving.tables import verdict
from training.frameworks import FRAMEWORKS
from training.reporting.markdown_tables import spread, table

GOALS_S: Final[Mapping[str, float]] = {"/healthz": 2.0, "the first framework": 6.0, "all three frameworks": 20.0}
"""Goals, from the start of the process, on two cores."""

PAUSE_S: Final = 0.02
"""Polling interval."""

Figure = dict[str, Any]


def measure(options: Options) -> list[Figure]:
    """Return the seconds to each stage, by round."""
    runs = [_start(options) for _ in range(options.rounds)]
    return [{"case": name, "seconds": [run[name] for run in runs]} for name in GOALS_S]


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the table."""
    return table(
        ["ready", "seconds from the start", "goal", "met"],
        [
            [
                figure["case"],
                spread(figure["seconds"]),
                *verdict(statistics.median(figure["seconds"]), below=GOALS_S[figure["case"]], unit=" s"),
            ]
            for figure in figures
        ],
    )


def _start(options: Options) -> dict[str, float]:
    start = time.perf_counter()
    with (
        service(
            options.cores.server,
            options.cores.client,
            frameworks=FRAMEWORKS,
            arguments=options.server_args,
            waits=False,
        ) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        taken = [_wait(client, least, start) for least in (0, 1, len(FRAMEWORKS))]
    return dict(zip(GOALS_S, taken, strict=True))


def _wait(client: httpx.Client, ready: int, start: float) -> float:
    """Return the seconds until a number of frameworks are ready; for 0, until the first response."""
    while True:
        try:
            entries = client.get("/frameworks" if ready else "/healthz").raise_for_status().json().get("frameworks", [])
            if sum(entry["ready"] for entry in entries) >= ready:
                return time.perf_counter() - start
        except httpx.TransportError:
            pass
        time.sleep(PAUSE_S)
