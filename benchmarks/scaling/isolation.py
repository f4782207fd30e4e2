"""Throughput of `--isolate`, a child process for each framework, beside the default of one process."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from benchmarks.scaling.forms import Figure, Form, compare
from benchmarks.scaling.forms import report as report_forms
from benchmarks.scaling.options import Options
from benchmarks.serving.cases import SINGLE_IMAGES
from benchmarks.serving.processes import service

GOALS: Final = {("--isolate", 64): 0.9}

ARGUMENTS: Final = {"one process": (), "--isolate": ("--isolate", "true")}


def measure(options: Options) -> list[Figure]:
    """Return the runs of both forms with all three frameworks."""
    cases = [case for case in SINGLE_IMAGES if case.kind == "npy"]
    frameworks = [case.framework for case in cases]
    with ExitStack() as stack:
        forms = {}
        for name, arguments in ARGUMENTS.items():
            server = stack.enter_context(service(*options.server_cores, frameworks=frameworks, arguments=arguments))
            forms[name] = Form(server.url, [server.pid])
        return compare(forms, cases, connections=(64, 1), options=options)


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the table."""
    return report_forms(figures, goals=GOALS)
