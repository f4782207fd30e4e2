"""The abstract at the head of the page: method, three findings and their limits, from the results."""

import statistics
from collections.abc import Mapping
from typing import Any, Final

from training.comparison.environment import stale_frameworks
from training.comparison.training_speed.summary import own_speed
from training.config import PRESETS
from training.frameworks import FRAMEWORKS
from training.reporting.markdown_tables import mean_spread, prose, scientific, spread

_MANY_SEEDS: Final = 10
"""Seeds of each framework from which a difference between means says more than luck."""


def write_abstract(content: Mapping[str, Any]) -> list[str]:
    """Return the lines of the abstract; a finding that wasn't measured says so."""
    findings = (_write_agreement(content), _write_speed(content), _write_quality(content))
    return [
        "## Abstract",
        "",
        *prose("""**Method.** One variational autoencoder of MNIST is written in JAX, TensorFlow and PyTorch with the
            same architecture, loss, recipe and data. From the same weights, batches and noise their losses must agree
            before anything is timed; each timing is of a fresh process, with compiling apart; quality is that of
            several seeds on test images that chose nothing."""),
        "",
        *(line for number, finding in enumerate(findings, 1) for line in (*prose(f"{number}. {finding}"), "")),
        *prose(f"""**Limits.** One machine and one small model on it: the figures are about what an operation costs in
            each framework more than about large models. What each way of running compiles differs, and initial weights
            and noise of the training runs are each framework's own ([the rules](#the-rules)).
            {_write_stale(content)}"""),
        "",
    ]


def _write_agreement(content: Mapping[str, Any]) -> str:
    section = content["sections"].get("agreement")
    if section is None:
        return "**Do they compute the same?** Not measured yet."
    steps = section["limits"]["steps"]
    pairs = max((max(pair["relative"][:steps]) for pair in section["losses"]["pairs"]), default=0.0)
    nudged = max(max(relative[:steps]) for relative in section["losses"]["nudged"].values())
    return (
        f"**They compute the same, up to rounding.** Over the first {steps} steps no loss of two frameworks differs by "
        f"more than {scientific(pairs)}, relative; a framework differs from itself by up to {scientific(nudged)} if "
        "its weights start one unit in the last place away. *Limit:* after some hundred steps rounding alone separates "
        "two runs, so agreement says nothing about where a whole run ends."
    )


def _write_speed(content: Mapping[str, Any]) -> str:
    speeds = {framework: speed for framework in FRAMEWORKS if (speed := own_speed(content, framework)) is not None}
    if not speeds:
        return "**Which trains fastest?** Not measured yet."
    each = ", ".join(f"{FRAMEWORKS[name].title} {spread(speed.epoch_seconds)}" for name, speed in speeds.items())
    latest_least = max(min(speed.epoch_seconds) for speed in speeds.values())
    earliest_most = min(max(speed.epoch_seconds) for speed in speeds.values())
    verdict = "their ranges overlap" if latest_least <= earliest_most else "their ranges don't all overlap"
    return (
        f"**Seconds an epoch**, each trainer in its own way: {each}: {verdict}. *Limit:* medians of few epochs on one "
        "machine; the order of ways whose ranges overlap may be another the next time."
    )


def _write_quality(content: Mapping[str, Any]) -> str:
    section = content["sections"].get("quality", {})
    runs = {name: section["frameworks"][name]["seeds"] for name in FRAMEWORKS if name in section.get("frameworks", {})}
    runs = {name: seeds for name, seeds in runs.items() if seeds}
    if not runs:
        return "**Which ends better?** Not measured yet."
    settings = section["settings"]
    values = {name: [-run["elbo"]["value"] for run in seeds.values()] for name, seeds in runs.items()}
    each = ", ".join(f"{FRAMEWORKS[name].title} {mean_spread(found)}" for name, found in values.items())
    means = [statistics.fmean(found) for found in values.values()]
    seeds = min(map(len, values.values()))
    limit = (
        f"{seeds} seeds of each can't tell a difference of this size from luck"
        if seeds < _MANY_SEEDS
        else f"{seeds} seeds of each"
    )
    return (
        f"**Test -ELBO after {settings['epochs'] or PRESETS[settings['preset']].epochs} epochs**, in nats, mean of "
        f"seeds ± their standard deviation: {each}; the means differ by at most {max(means) - min(means):.2f}. "
        f"*Limit:* {limit}."
    )


def _write_stale(content: Mapping[str, Any]) -> str:
    stale = [name for name, section in content["sections"].items() if stale_frameworks(section)]
    return f"Measured before the trainers' code last changed: {', '.join(stale)}." if stale else ""
