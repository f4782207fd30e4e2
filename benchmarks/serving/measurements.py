"""What there is to measure, by name, and each part's record as Markdown."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from benchmarks.serving import large, memory, overload, stall, start, tail, throughput
from benchmarks.serving.conditions import describe_conditions
from benchmarks.serving.options import Options

PARTS: Final[Mapping[str, Any]] = {
    "throughput": throughput,
    "large": large,
    "tail": tail,
    "stall": stall,
    "overload": overload,
    "start": start,
    "memory": memory,
}

Record = dict[str, Any]


def measure(name: str, options: Options) -> Record:
    """Return the part's figures, and where, with what and how they were measured."""
    busy = os.getloadavg()[0]
    figures = PARTS[name].measure(options)
    return {"conditions": describe_conditions() | {"load_before": busy}, "options": asdict(options), "figures": figures}


def render(name: str, record: Record) -> list[str]:
    """Return the lines of the part's table, and one that says where its figures come from."""
    conditions, options = record["conditions"], record["options"]
    cores, rounds, seconds = options["cores"], options["rounds"], options["seconds"]
    versions = ", ".join(f"{package} {number}" for package, number in conditions["versions"].items())
    given = "".join(f", `{word}`" for word in options["server_args"])
    return [
        *PARTS[name].report(record["figures"]),
        "",
        (
            f"{conditions['machine']}, core {cores['server']} serving and core {cores['client']} asking, load average "
            f"before {conditions['load_before']:.1f}; commit {conditions['commit']}{given}; median of {rounds} rounds "
            f"of {seconds} s, with the least and the most. {versions}."
        ),
    ]
