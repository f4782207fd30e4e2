"""Statistics of the quality runs over their seeds. Renders nothing."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final

from training.comparison.results_file import measured_frameworks
from training.config import PRESETS

LEVELS: Final = (110, 105, 100)
"""Levels of -ELBO in nats for which the page reports the time to reach them."""


def epochs_of(settings: Mapping[str, Any]) -> int:
    """Return the number of epochs of the section's runs: the preset's, unless the command changed it."""
    epochs: int = settings["epochs"] or PRESETS[settings["preset"]].epochs
    return epochs


def measured_runs(section: Mapping[str, Any]) -> dict[str, Any]:
    """Return the runs of each framework that has some, by seed, in the usual order."""
    return {name: entry["seeds"] for name, entry in measured_frameworks(section).items() if entry.get("seeds")}


def curves_of(runs: Mapping[str, Any]) -> list[list[float]]:
    """Return -ELBO on the validation images of each run after each epoch, in nats."""
    return [[-epoch["validation_elbo"] for epoch in run["curve"]] for run in runs.values()]


def mean_curve(entry: Mapping[str, Any]) -> list[float]:
    """Return the mean of the curves of a framework's seeds."""
    return [statistics.fmean(values) for values in zip(*curves_of(entry["seeds"]), strict=True)]


def epochs_to(curve: Sequence[float], level: float) -> int | None:
    """Return the number of epochs until a curve is first at or below a level, or None."""
    return next((number for number, value in enumerate(curve, start=1) if value <= level), None)
