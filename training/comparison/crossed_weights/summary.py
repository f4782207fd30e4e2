"""Differences between the crossed runs, by their cause. Renders nothing."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from training.frameworks import FRAMEWORKS


def found_frameworks(section: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of each measured framework, in the usual order."""
    return {name: section["frameworks"][name] for name in FRAMEWORKS if name in section["frameworks"]}


def largest_differences(section: Mapping[str, Any]) -> dict[str, float]:
    """Return the largest differences of -ELBO, in nats: between frameworks, by rounding, and between initial weights.

    The keys are "frameworks" (from the same weights), "rounding" (a framework and itself, nudged) and "weights" (in one
    framework); a cause of which one framework alone shows nothing is absent.
    """
    found = found_frameworks(section)
    runs = {name: {of: run["elbo"] for of, run in entry["weights_of"].items()} for name, entry in found.items()}
    causes = {
        "frameworks": [
            abs(one[source] - other[source]) for one, other in combinations(runs.values(), 2) for source in one
        ],
        "rounding": [
            abs(run["elbo"] - runs[name][name]) for name, entry in found.items() for run in entry["nudged"].values()
        ],
        "weights": [abs(one - other) for each in runs.values() for one, other in combinations(each.values(), 2)],
    }
    return {cause: max(differences) for cause, differences in causes.items() if differences}
