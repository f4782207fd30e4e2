"""CPU time of a request in an earlier commit's checkout, beside this one's and the empty endpoint's in the same rounds.

Tells a change of the code from one of the machine, between figures that were taken on different ones.
"""

import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks.serving.cases import SINGLE_IMAGES
from benchmarks.serving.options import Options
from benchmarks.serving.parts.header_costs import run_pair
from benchmarks.serving.processes import ROOT, empty_endpoint, service
from training.reporting.markdown_tables import spread, table

CONNECTIONS: Final = (64, 1)

Figure = dict[str, Any]


def measure(options: Options) -> list[Figure]:
    """Return the figures of each commit and case in rounds, each run right after one of the empty endpoint.

    Raises:
        SystemExit: No checkout of another commit is given.
    """
    if options.earlier is None:
        raise SystemExit("no earlier commit to measure: add --earlier DIR, a checkout of it")
    folders = {_commit(folder): folder for folder in (ROOT, Path(options.earlier))}
    if len(folders) == 1:
        raise SystemExit(f"{options.earlier} is at the same commit as this checkout: name one of an earlier commit")
    core = options.cores.server
    with ExitStack() as stack:
        empty = stack.enter_context(empty_endpoint(core, kind="FastAPI"))
        servers = {
            commit: stack.enter_context(service(core, frameworks=["pytorch"], folder=folder))
            for commit, folder in folders.items()
        }
        cases = {case.kind: case for case in SINGLE_IMAGES if case.framework == "pytorch"}
        figures: list[Figure] = [
            {"kind": case.kind, "differs": differs, "connections": connections, "commit": commit, "runs": []}
            for connections in CONNECTIONS
            for case in cases.values()
            for differs in (False, True)
            for commit in servers
        ]
        for _ in range(options.rounds):
            for figure in figures:
                server = servers[figure["commit"]]
                request = replace(cases[figure["kind"]].request(server.url), is_traced=figure["differs"])
                run = run_pair(empty, server, request, options, connections=figure["connections"])
                figure["runs"].append(run)
    return figures


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the table."""
    costs = ["CPU time, us", "empty FastAPI's, us", "share by CPU time"]
    head = ["request", "headers", "connections", "commit", *costs, "failures"]
    return table(head, [_row(figure) for figure in figures])


def _row(figure: Figure) -> list[str]:
    runs = figure["runs"]
    failures = sum(run["bad_statuses"] + run["socket_errors"] for run in runs)
    return [
        figure["kind"],
        "differ" if figure["differs"] else "same",
        str(figure["connections"]),
        f"`{figure['commit'][:10]}`",
        spread([run["cpu_us"] for run in runs], 0),
        spread([run["empty_cpu_us"] for run in runs], 0),
        spread([run["empty_cpu_us"] / run["cpu_us"] for run in runs]),
        str(failures) if not failures else f"**{failures}**",
    ]


def _commit(folder: Path) -> str:
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- git itself
    if done.returncode != 0:
        raise SystemExit(f"{folder} is no git checkout: {done.stderr.strip()}")
    return done.stdout.strip()
