"""Differences between the crossed runs, by their cause. Renders nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from training.comparison.results_file import measured_frameworks


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestDifferences:
    """The largest difference of -ELBO by each cause, in nats."""

    frameworks: float
    """Between two frameworks, from the same weights."""

    rounding: float
    """Between a framework and itself, nudged."""

    weights: float
    """Between two initial weights, in one framework."""


def largest_differences(section: Mapping[str, Any]) -> LargestDifferences | None:
    """Return the largest differences; None if fewer than two frameworks were measured, which can't show the causes."""
    entries = measured_frameworks(section)
    if len(entries) < 2:
        return None
    runs = {name: {of: run["elbo"] for of, run in entry["weights_of"].items()} for name, entry in entries.items()}
    return LargestDifferences(
        frameworks=max(
            abs(first[source] - second[source]) for first, second in combinations(runs.values(), 2) for source in first
        ),
        rounding=max(
            abs(run["elbo"] - runs[name][name]) for name, entry in entries.items() for run in entry["nudged"].values()
        ),
        weights=max(
            abs(first - second) for elbos in runs.values() for first, second in combinations(elbos.values(), 2)
        ),
    )
