"""Crashes of a framework's child process: what 50 in a row leave behind, and what one does to the other frameworks.

The kernel ends the child by SIGKILL. In a row, a reload starts each new child at once: by itself the service waits
longer after each crash.
"""

import os
import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.scaling.options import Options
from benchmarks.serving.cases import Case
from benchmarks.serving.open_loop import Stream, ask
from benchmarks.serving.processes import Server, service
from benchmarks.serving.tables import counts
from training.frameworks import FRAMEWORKS
from training.reporting.markdown_tables import spread, table

CRASHES: Final = 50

VICTIM: Final = "pytorch"

OTHERS: Final = tuple(framework for framework in FRAMEWORKS if framework != VICTIM)

KEY: Final = {"X-API-Key": "benchmark"}
"""Reloading needs a key."""

RATE: Final = 50.0
"""Requests per second to each of the other frameworks."""

LENGTHS: Final = 3
"""Duration as a multiple of other measurements: a child takes seconds to start."""

Figures = dict[str, Any]


def measure(options: Options) -> Figures:
    """Return the service's memory and files after each crash, and latencies of the others with and without one."""
    arguments, variables = ("--isolate", "true"), {"TRIPTYCH_API_KEYS": KEY["X-API-Key"]}
    with (
        service(*options.server_cores, frameworks=list(FRAMEWORKS), arguments=arguments, variables=variables) as server,
        httpx.Client(base_url=server.url, headers=KEY, timeout=120) as client,
    ):
        after = [_usage(server)]
        for _ in range(CRASHES):
            _kill(client)
            client.post(f"/admin/reload?framework={VICTIM}").raise_for_status()
            after.append(_usage(server))
        runs = [
            {name: _latencies(server, client, options, kills=name == "killed") for name in ("undisturbed", "killed")}
            for _ in range(options.rounds)
        ]
    return {"after": after, "runs": runs}


def report(figures: Figures) -> list[str]:
    """Return the lines of both tables."""
    after = figures["after"]
    head = ["crashes", "RSS of the service, MiB", "open files", "threads", "child processes"]
    crash_counts = [number for number in (0, 1, 10, 20, 30, 40, 50) if number < len(after)]
    rows = [
        [str(number), f"{after[number]['rss'] / 2**20:,.1f}", *map(str, _counts(after[number]))]
        for number in crash_counts
    ]
    latency_head = ["framework", f"while {VICTIM} is", "p50, ms", "p99, ms", "responses"]
    return [*table(head, rows), *table(latency_head, _latency_rows(figures["runs"]))]


def _latency_rows(runs: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    rows = []
    for framework in OTHERS:
        for name in ("undisturbed", "killed"):
            measurements = [run[name][framework] for run in runs]
            statuses: dict[str, int] = {}
            for measurement in measurements:
                for status, number in measurement["statuses"].items():
                    statuses[status] = statuses.get(status, 0) + number
            rows.append(
                [
                    framework,
                    name,
                    *(spread([measurement[key] for measurement in measurements], 1) for key in ("p50_ms", "p99_ms")),
                    counts(statuses),
                ]
            )
    return rows


def _counts(usage: Mapping[str, int]) -> list[int]:
    return [usage["files"], usage["threads"], usage["children"]]


def _usage(server: Server) -> dict[str, int]:
    process = Path(f"/proc/{server.pid}")
    # A thread of its own starts the children.
    children = [path.read_text(encoding="utf-8").split() for path in process.glob("task/*/children")]
    return {
        "rss": server.rss(),
        "files": len(list((process / "fd").iterdir())),
        "threads": len(list((process / "task").iterdir())),
        "children": sum(map(len, children)),
    }


def _kill(client: httpx.Client) -> None:
    entries = client.get("/frameworks").json()["frameworks"]
    os.kill(next(entry["pid"] for entry in entries if entry["framework"] == VICTIM), signal.SIGKILL)


def _latencies(server: Server, client: httpx.Client, options: Options, *, kills: bool) -> dict[str, Any]:
    requests = [Case("npy", framework).request(server.url) for framework in OTHERS]
    streams = [
        Stream(replace(request, headers={**request.headers, **KEY}), rate=RATE, connections=16) for request in requests
    ]
    seconds = LENGTHS * options.seconds
    killer = threading.Timer(seconds / 3, _kill, (client,))
    if kills:
        killer.start()
    outcomes = ask(streams, core=options.client_core, seconds=seconds)
    if kills:
        killer.join()
        client.post(f"/admin/reload?framework={VICTIM}").raise_for_status()
    return {
        framework: {
            "p50_ms": outcome.percentile_ms(50),
            "p99_ms": outcome.percentile_ms(99),
            "statuses": outcome.statuses(),
        }
        for framework, outcome in zip(OTHERS, outcomes, strict=True)
    }
