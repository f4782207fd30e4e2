"""The measurements by name, and each part's record as Markdown."""

from collections.abc import Mapping
from typing import Any, Final

from benchmarks.records import Record
from benchmarks.serving.parts import (
    head_of_line_blocking,
    header_costs,
    large_requests,
    latency_at_half_load,
    memory,
    observability_costs,
    open_inference,
    overload,
    startup_time,
    throughput,
)
from training.counts import count_of

PARTS: Final[Mapping[str, Any]] = {
    "throughput": throughput,
    "headers": header_costs,
    "observability": observability_costs,
    "protocol": open_inference,
    "large": large_requests,
    "tail": latency_at_half_load,
    "stall": head_of_line_blocking,
    "overload": overload,
    "start": startup_time,
    "memory": memory,
}


def render(name: str, record: Record) -> list[str]:
    """Return the lines of the part's table, and one that describes its environment."""
    conditions, options = record["conditions"], record["options"]
    cores, rounds, seconds = options["cores"], options["rounds"], options["seconds"]
    versions = ", ".join(f"{package} {number}" for package, number in conditions["versions"].items())
    arguments = "".join(f", `{word}`" for word in options["server_args"])
    return [
        *PARTS[name].report(record["figures"]),
        (
            f"{conditions['machine']}, core {cores['server']} serving and core {cores['client']} asking, load average "
            f"before {conditions['load_before']:.1f}; commit {conditions['commit']}{arguments}; median of "
            f"{count_of(rounds, 'round')} of {seconds} s, with the least and the most. {versions}."
        ),
    ]
