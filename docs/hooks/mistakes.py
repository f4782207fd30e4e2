"""Tables of what the usual mistakes cost, from what `python -m benchmarks.mistakes` measured."""

import json
from typing import Any

from snippets import ROOT

FILE = ROOT / "docs" / "mistakes.json"
MINUS = "\N{MINUS SIGN}"
RIGHT = "the right way"
LUCK = "luck"


def table(topic: str) -> str:
    """Return a row for the right way, and one for each mistake about a topic; of `luck`, one for each seed.

    Raises:
        LookupError: No mistake is about it.
    """
    record = _record()
    runs = {name: run for name, run in record["runs"].items() if run["topic"] == ("" if topic == LUCK else topic)}
    if not runs:
        raise LookupError(f"{FILE.name} has nothing about {topic}")
    right = record["runs"][RIGHT]
    lines = [f"| | test {MINUS}ELBO (nats) | more than the right way | its own loss |", "|---|---|---|---|"]
    lines += [_row(name, run, right) for name, run in ({RIGHT: right} | runs).items()]
    if topic == LUCK:
        lines += ["", f"By `{record['command']}`, {record['epochs']} epochs each: {_machine(record)}."]
    return "\n".join(lines)


def targets() -> str:
    """Return what the right way's weights come to on each target."""
    record = _record()
    lines = [f"| target | test {MINUS}ELBO (nats) |", "|---|---|"]
    lines += [f"| `{name}` | {-elbo:.2f} |" for name, elbo in record["targets"].items()]
    return "\n".join(lines)


def _row(name: str, run: dict[str, Any], right: dict[str, Any]) -> str:
    if run["test"] is None:
        return f"| {name} | none | | NaN at step {run['broken_step']:,} |"
    more = right["test"]["elbo"] - run["test"]["elbo"]
    shown = "" if run is right else f"{more:+.2f}".replace("-", MINUS)
    return f"| {name} | {-run['test']['elbo']:.2f} | {shown} | {run['loss']:.4g} |"


def _machine(record: dict[str, Any]) -> str:
    versions = record["versions"]
    return f"{record['machine']}, jax {versions['jax']}, flax {versions['flax']}, optax {versions['optax']}"


def _record() -> dict[str, Any]:
    record: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return record
