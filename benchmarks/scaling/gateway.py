"""Throughput of a gateway and its backend, both on this machine, beside the same model in one process."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from benchmarks.scaling.forms import Figure, Form, compare
from benchmarks.scaling.forms import report as report_forms
from benchmarks.scaling.options import Options
from benchmarks.serving.cases import Case
from benchmarks.serving.processes import service

FRAMEWORK: Final = "pytorch"

GOALS: Final = {("gateway and backend", 64): 0.75}


def measure(options: Options) -> list[Figure]:
    """Return the runs of both forms."""
    cores = options.server_cores
    with ExitStack() as stack:
        alone = stack.enter_context(service(*cores, frameworks=[FRAMEWORK]))
        backend = stack.enter_context(service(*cores, frameworks=[FRAMEWORK]))
        backends = ("--backends", f"{FRAMEWORK}={backend.url}")
        gateway = stack.enter_context(service(*cores, frameworks=[FRAMEWORK], arguments=backends))
        forms = {
            "one process": Form(alone.url, [alone.pid]),
            "gateway and backend": Form(gateway.url, [gateway.pid, backend.pid]),
        }
        return compare(forms, [Case("npy", FRAMEWORK)], connections=(64, 1), options=options)


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the table."""
    return report_forms(figures, goals=GOALS)
