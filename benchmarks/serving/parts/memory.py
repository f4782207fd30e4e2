"""Memory of the service while it answers millions of requests."""

import time
from collections.abc import Sequence
from itertools import cycle
from typing import Any, Final

import numpy as np

from benchmarks.serving.cases import SINGLE_IMAGES
from benchmarks.serving.options import Options
from benchmarks.serving.processes import service
from benchmarks.serving.tables import verdict
from benchmarks.serving.wrk import run_wrk
from training.reporting.markdown_tables import table

MIB: Final = 2**20

SLOPE: Final = 1.0
"""Goal: maximum growth in the second half of the run, in MiB per 100,000 requests."""

Figure = dict[str, Any]


def measure(options: Options) -> list[Figure]:
    """Return the number of answered requests and the resident memory after each of many short runs of wrk."""
    cases = options.choose(SINGLE_IMAGES)
    frameworks = sorted({case.framework for case in cases})
    with service(options.cores.server, frameworks=frameworks, arguments=options.server_args) as server:
        for case in cases:
            case.check(server.url)
        marks = [{"requests": 0, "rss": server.rss()}]
        turns = cycle(cases)
        deadline = time.monotonic() + options.minutes * 60
        while time.monotonic() < deadline:
            request = next(turns).request(server.url)
            run = run_wrk(request, core=options.cores.client, connections=64, seconds=options.seconds)
            marks.append({"requests": marks[-1]["requests"] + run.requests, "rss": server.rss()})
    return [{"case": "1 image, " + ", ".join(frameworks), "marks": marks}]


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the table."""
    head = ["requests of", "answered", "RSS at the start, MiB", "halfway", "at the end"]
    return table([*head, "MiB for 100,000 requests, second half", "goal", "met"], map(_row, figures))


def slope(marks: Sequence[dict[str, int]]) -> float:
    """Return the growth in MiB per 100,000 requests, from a linear fit of the second half."""
    half = marks[len(marks) // 2 :]
    per_request = np.polyfit([mark["requests"] for mark in half], [mark["rss"] for mark in half], 1)[0]
    return float(per_request) * 1e5 / MIB


def _row(figure: Figure) -> list[str]:
    marks = figure["marks"]
    seen = [f"{mark['rss'] / MIB:,.0f}" for mark in (marks[0], marks[len(marks) // 2], marks[-1])]
    cells = [figure["case"], f"{marks[-1]['requests']:,}", *seen]
    return [*cells, f"{slope(marks):+.2f}", *verdict(slope(marks), below=SLOPE)]
