"""Tables of the cost of usual mistakes, as measured by `python -m benchmarks.mistakes`."""

import json
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from snippets import ROOT

FILE = ROOT / "docs" / "mistakes.json"
MINUS = "\N{MINUS SIGN}"
RIGHT = "the right way"
LUCK = "luck"

Run = Mapping[str, Any]
"""A run of one seed: `test` (None if it broke), `loss`, `broken_step`."""

Runs = Mapping[str, Run]
"""Runs by their seed."""


def table(topic: str) -> str:
    """Return a row for the correct version and one per mistake of a topic; for `luck`, a row per seed of the former.

    A figure is the mean over the row's seeds. A cost is beside the correct version with the same seeds.

    Raises:
        LookupError: No mistake has this topic.
    """
    record = _record()
    found = record["runs"]
    right = found[RIGHT]["seeds"]
    if topic == LUCK:
        return _luck(record, right)
    chosen = {name: each["seeds"] for name, each in found.items() if each["topic"] == topic}
    if not chosen:
        raise LookupError(f"{FILE.name} has nothing about {topic}")
    # A row of the correct version for each choice of seeds, so that a reader can subtract.
    rows = [(RIGHT, right)]
    rows += [(RIGHT, {seed: right[seed]}) for seed in right if [seed] in [list(seeds) for seeds in chosen.values()]]
    heads = ["", f"test {MINUS}ELBO (nats)", "more than the right way with the same seeds", "range over seeds"]
    lines = [f"| {' | '.join([*heads, 'its own loss'])} |", "|---|---|---|---|---|"]
    lines += [_row(name, seeds, right) for name, seeds in [*rows, *chosen.items()]]
    return "\n".join(lines)


def paired_costs(runs: Runs, right: Runs) -> list[float]:
    """Return the nats by which each run's test -ELBO exceeds that of the correct version with the same seed."""
    return [right[seed]["test"]["elbo"] - run["test"]["elbo"] for seed, run in runs.items() if run["test"] is not None]


def targets() -> str:
    """Return a row per target: the score of the correct version's weights."""
    record = _record()
    lines = [f"| target | test {MINUS}ELBO (nats) |", "|---|---|"]
    lines += [f"| `{name}` | {-elbo:.2f} |" for name, elbo in record["targets"].items()]
    return "\n".join(lines)


def _luck(record: dict[str, Any], right: Runs) -> str:
    """Return the rows of the correct version's seeds, each beside their mean."""
    middle = _mean_elbo(right)
    lines = [f"| | test {MINUS}ELBO (nats) | more than the mean | its own loss |", "|---|---|---|---|"]
    lines += [f"| {_title(RIGHT, right)} | {-middle:.2f} | | {_mean_loss(right):.4g} |"]
    for seed, run in right.items():
        elbo = run["test"]["elbo"]
        lines += [f"| {_title(RIGHT, {seed: run})} | {-elbo:.2f} | {_signed(middle - elbo)} | {run['loss']:.4g} |"]
    return "\n".join([*lines, "", f"By `{record['command']}`, {record['epochs']} epochs each: {_machine(record)}."])


def _title(name: str, runs: Runs) -> str:
    return f"{name}, mean of {len(runs)} seeds" if len(runs) > 1 else f"{name}, seed {next(iter(runs))}"


def _row(name: str, runs: Runs, right: Runs) -> str:
    title = _title(name, runs)
    broken = [run for run in runs.values() if run["test"] is None]
    if broken:
        return f"| {title} | none | | | NaN at step {broken[0]['broken_step']:,} |"
    costs = paired_costs(runs, right)
    cost = "" if name == RIGHT else _signed(fmean(costs))
    extent = "" if name == RIGHT or len(costs) == 1 else f"{_signed(min(costs))} to {_signed(max(costs))}"
    return f"| {title} | {-_mean_elbo(runs):.2f} | {cost} | {extent} | {_mean_loss(runs):.4g} |"


def _signed(nats: float) -> str:
    return f"{round(nats, 2) + 0:+.2f}".replace("-", MINUS)  # + 0: never -0.00


def _mean_elbo(runs: Runs) -> float:
    return fmean(run["test"]["elbo"] for run in runs.values())


def _mean_loss(runs: Runs) -> float:
    return fmean(run["loss"] for run in runs.values())


def _machine(record: dict[str, Any]) -> str:
    versions = record["versions"]
    return f"{record['machine']}, jax {versions['jax']}, flax {versions['flax']}, optax {versions['optax']}"


def _record() -> dict[str, Any]:
    record: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return record
