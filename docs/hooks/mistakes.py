"""Tables of the cost of usual mistakes, as measured by `python -m benchmarks.mistakes`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from snippets import ROOT

FILE = ROOT / "docs" / "mistakes.json"
MINUS = "\N{MINUS SIGN}"
RIGHT = "the right way"
LUCK = "luck"

Run = Mapping[str, Any]
"""A run of one seed: `test` (None if it broke), `loss`, `broken_step`."""


def table(topic: str) -> str:
    """Return a row for the correct version and one per mistake of a topic; for `luck`, a row per seed of the former.

    A figure is the mean over the row's seeds, and a cost is beside the mean of the correct version.

    Raises:
        LookupError: No mistake has this topic.
    """
    record = _record()
    found = record["runs"]
    right = list(found[RIGHT]["seeds"].values())
    rows = {_title(RIGHT, right): right}
    if topic == LUCK:
        rows |= {f"{RIGHT}, seed {seed}": [run] for seed, run in found[RIGHT]["seeds"].items()}
    else:
        chosen = {name: list(each["seeds"].values()) for name, each in found.items() if each["topic"] == topic}
        rows |= {_title(name, runs): runs for name, runs in chosen.items()}
    if len(rows) == 1:
        raise LookupError(f"{FILE.name} has nothing about {topic}")
    lines = [f"| | test {MINUS}ELBO (nats) | more than the right way | its own loss |", "|---|---|---|---|"]
    lines += [_row(name, runs, right) for name, runs in rows.items()]
    if topic == LUCK:
        lines += ["", f"By `{record['command']}`, {record['epochs']} epochs each: {_machine(record)}."]
    return "\n".join(lines)


def targets() -> str:
    """Return a row per target: the score of the correct version's weights."""
    record = _record()
    lines = [f"| target | test {MINUS}ELBO (nats) |", "|---|---|"]
    lines += [f"| `{name}` | {-elbo:.2f} |" for name, elbo in record["targets"].items()]
    return "\n".join(lines)


def _title(name: str, runs: Sequence[Run]) -> str:
    return f"{name}, mean of {len(runs)} seeds" if len(runs) > 1 else name


def _row(name: str, runs: Sequence[Run], right: Sequence[Run]) -> str:
    broken = [run for run in runs if run["test"] is None]
    if broken:
        return f"| {name} | none | | NaN at step {broken[0]['broken_step']:,} |"
    more = mean_elbo(right) - mean_elbo(runs)
    shown = "" if runs is right else f"{more:+.2f}".replace("-", MINUS)
    return f"| {name} | {-mean_elbo(runs):.2f} | {shown} | {fmean(run['loss'] for run in runs):.4g} |"


def mean_elbo(runs: Iterable[Run]) -> float:
    """Return the mean ELBO of the test images over seeds."""
    return fmean(run["test"]["elbo"] for run in runs)


def _machine(record: dict[str, Any]) -> str:
    versions = record["versions"]
    return f"{record['machine']}, jax {versions['jax']}, flax {versions['flax']}, optax {versions['optax']}"


def _record() -> dict[str, Any]:
    record: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return record
