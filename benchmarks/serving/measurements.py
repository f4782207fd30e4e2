"""The measurements by name, and each part's record as Markdown."""

from collections.abc import Mapping
from typing import Any, Final

from benchmarks.records import Record
from benchmarks.serving.parts import (
    earlier_commit,
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
    "earlier": earlier_commit,
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
    """Return the lines of the part's table, and one that describes its environment and durations."""
    conditions, options = record["conditions"], record["options"]
    versions = ", ".join(f"{package} {number}" for package, number in conditions["versions"].items())
    arguments = "".join(f", `{word}`" for word in options["server_args"])
    return [
        *PARTS[name].report(record["figures"]),
        (
            f"{conditions['machine']}, {_describe_cores(name, options)}, load average before "
            f"{conditions['load_before']:.1f}; commit {conditions['commit']}{arguments}; "
            f"{_describe_duration(name, options)}. {versions}."
        ),
    ]


def _describe_cores(name: str, options: Mapping[str, Any]) -> str:
    server, client = options["cores"]["server"], options["cores"]["client"]
    if name == "start":
        return f"serving on cores {server} and {client}"
    return f"core {server} serving and core {client} asking"


def _describe_duration(name: str, options: Mapping[str, Any]) -> str:
    """Return how long and how often a part measures, and of what its figures are."""
    rounds, seconds = options["rounds"], options["seconds"]
    match name:
        case "stall":
            return f"one run of {rounds * seconds} s for each kind of large request"
        case "start":
            return f"median of {count_of(rounds, 'start')}, with the least and the most"
        case "memory":
            return f"one run of {options['minutes']:g} min, in turns of {seconds} s for each kind of request"
        case "overload":
            return (
                f"median of {count_of(rounds, 'round')}, each of {seconds} s for the highest throughput and "
                f"{overload.LENGTHS * seconds} s at twice that, with the least and the most"
            )
        case _:
            return f"median of {count_of(rounds, 'round')} of {seconds} s, with the least and the most"
