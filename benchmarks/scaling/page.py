"""The measurements by name, and their place in `docs/scaling.md`: one Markdown page made from one JSON file."""

from collections.abc import Mapping
from typing import Any, Final

from benchmarks.records import Record, fill_place, keep_record
from benchmarks.scaling import autoscaling, capacity, crashes, gateway, isolation, queueing, ray_serve
from benchmarks.serving.processes import ROOT
from training.counts import count_of

PARTS: Final[Mapping[str, Any]] = {
    "isolation": isolation,
    "crashes": crashes,
    "gateway": gateway,
    "ray": ray_serve,
    "queueing": queueing,
    "autoscaling": autoscaling,
    "capacity": capacity,
}

CALCULATED: Final = frozenset({"capacity", "autoscaling"})
"""Parts that measure nothing themselves."""

OWN_CORE: Final = frozenset({"queueing"})
"""Parts whose service and client have a core each, so that neither waits for the other's."""

PAGE: Final = ROOT / "docs" / "scaling.md"

JSON: Final = ROOT / "docs" / "scaling.json"


def render(name: str, record: Record) -> list[str]:
    """Return the lines of the part's tables, and one that describes the environment of its measurements."""
    if name in CALCULATED:
        return [*PARTS[name].report(record["figures"])]
    conditions, options = record["conditions"], record["options"]
    versions = ", ".join(f"{package} {number}" for package, number in conditions["versions"].items())
    cores = f"{len(options['server_cores'])} and the client on one of them"
    if name in OWN_CORE:
        cores = "one core and the client on another"
    seconds = options["seconds"] * (crashes.LENGTHS if name == "crashes" else 1)
    return [
        *PARTS[name].report(record["figures"]),
        (
            f"{conditions['machine']}, the service on {cores}, load average before "
            f"{conditions['load_before']:.1f}; commit {conditions['commit']}; median of "
            f"{count_of(options['rounds'], 'round')} of {seconds} s, with the least and the most. "
            f"{versions}."
        ),
    ]


def write(name: str, record: Record) -> None:
    """Put the record into the JSON file, and its tables between `<!-- NAME -->` and `<!-- end -->` of the page.

    Raises:
        SystemExit: The page has no place for them.
    """
    keep_record(JSON, name, record)
    page = fill_place(PAGE.read_text(encoding="utf-8"), name, render(name, record))
    PAGE.write_text(page, encoding="utf-8")
