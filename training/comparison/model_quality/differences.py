"""Differences between two frameworks over seeds, with their confidence intervals. Renders nothing."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from scipy.stats import t

from training.comparison.model_quality.summary import measured_runs

CONFIDENCE: Final = 0.95
"""Of each interval; of several intervals, one in twenty misses its true difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Mean difference of -ELBO between two frameworks, paired by seed, in nats."""

    of: tuple[str, str]
    """The frameworks: the first's minus the second's."""

    seeds: int
    """Seeds that both have."""

    mean: float
    """Mean over seeds."""

    half_width: float
    """Half the width of the confidence interval, by Student's t."""

    @property
    def is_apart_from_zero(self) -> bool:
        """The interval doesn't contain 0."""
        return abs(self.mean) > self.half_width


def paired_differences(section: Mapping[str, Any]) -> list[Difference]:
    """Return the difference of each pair of frameworks that share two seeds or more.

    Runs with the same seed see the images in the same order; initial weights, pixels and noise are each framework's
    own.
    """
    seeds = measured_runs(section)
    found = []
    for one, other in combinations(seeds, 2):
        shared = [seed for seed in seeds[one] if seed in seeds[other]]
        if len(shared) < 2:
            continue
        values = [seeds[other][seed]["elbo"]["value"] - seeds[one][seed]["elbo"]["value"] for seed in shared]
        error = statistics.stdev(values) / math.sqrt(len(values))
        half_width = float(t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * error
        mean = statistics.fmean(values)
        found.append(Difference(of=(one, other), seeds=len(shared), mean=mean, half_width=half_width))
    return found
