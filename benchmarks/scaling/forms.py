"""Forms of the service beside each other: the same requests to each in turn, with throughput, latency and CPU time."""

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.scaling.options import Options
from benchmarks.serving.cases import Case
from benchmarks.serving.tables import counts, verdict
from benchmarks.serving.wrk import run_wrk
from training.reporting.markdown_tables import spread, table

Figure = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """A running form of the service."""

    url: str
    pids: Sequence[int]
    """Its processes; their descendants count too."""

    def cpu_seconds(self) -> float:
        """Return the CPU time of all its processes so far, user and kernel."""
        pids = descendants(self.pids)
        return sum(_cpu_ticks(pid) for pid in pids) / os.sysconf("SC_CLK_TCK")


def compare(
    forms: Mapping[str, Form], cases: Sequence[Case], *, connections: Sequence[int], options: Options
) -> list[Figure]:
    """Return the runs of each form, case and number of connections; the forms take turns within each round."""
    for form in forms.values():
        for case in cases:
            case.check(form.url)
            run_wrk(case.request(form.url), core=options.client_core, connections=64, seconds=1)  # warms up
    figures: list[Figure] = [
        {"case": str(case), "connections": count, "form": name, "runs": []}
        for case in cases
        for count in connections
        for name in forms
    ]
    by_name = {str(case): case for case in cases}
    for _ in range(options.rounds):
        for figure in figures:
            form, case = forms[figure["form"]], by_name[figure["case"]]
            before = form.cpu_seconds()
            run = run_wrk(
                case.request(form.url),
                core=options.client_core,
                connections=figure["connections"],
                seconds=options.seconds,
            )
            cpu_us = (form.cpu_seconds() - before) / max(run.requests, 1) * 1e6
            figure["runs"].append(asdict(run) | {"cpu_us": cpu_us})
    return figures


def report(figures: Sequence[Figure], *, goals: Mapping[tuple[str, int], float]) -> list[str]:
    """Return the lines of the table; each form is compared with the first of its case, run by run.

    Args:
        figures: What `compare` returned.
        goals: Least share of the first form's throughput, by form and connections.
    """
    head = ["request", "connections", "form", "requests/s", "share of the first", "goal", "met", "CPU time, us"]
    first: dict[tuple[str, int], Figure] = {}
    for figure in figures:
        first.setdefault((figure["case"], figure["connections"]), figure)
    rows = [_row(figure, first[figure["case"], figure["connections"]], goals) for figure in figures]
    return table([*head, "p50, ms", "p99, ms", "failures"], rows)


def _row(figure: Figure, first: Figure, goals: Mapping[tuple[str, int], float]) -> list[str]:
    runs = figure["runs"]
    cells = [figure["case"], str(figure["connections"]), figure["form"]]
    cells += [spread([run["requests_per_s"] for run in runs], 0)]
    if figure is first:
        cells += ["1", "-", "-"]
    else:
        shares = [
            run["requests_per_s"] / other["requests_per_s"] for run, other in zip(runs, first["runs"], strict=True)
        ]
        goal = goals.get((figure["form"], figure["connections"]))
        cells += [spread(shares), *verdict(statistics.median(shares), at_least=goal)]
    cells += [spread([run["cpu_us"] for run in runs], 0)]
    cells += [spread([run[name] for run in runs], 1) for name in ("p50_ms", "p99_ms")]
    failures = {name: sum(run[name] for run in runs) for name in ("bad_statuses", "socket_errors")}
    return [*cells, counts({name.replace("_", " "): number for name, number in failures.items() if number})]


def descendants(pids: Sequence[int]) -> list[int]:
    """Return the processes and all that they started, directly or not."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue  # it has just ended
        children.setdefault(parent, []).append(int(path.parent.name))
    processes = list(pids)
    for pid in processes:
        processes += children.get(pid, [])
    return processes


def _cpu_ticks(pid: int) -> int:
    try:
        # proc(5): the second field, a name in parentheses, may hold spaces.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0  # it has just ended
    return int(fields[11]) + int(fields[12])
