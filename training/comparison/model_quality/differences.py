"""Differences between two frameworks over seeds, with their confidence intervals. Renders nothing."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from scipy.stats import t

from training.comparison.model_quality.summary import measured_runs

CONFIDENCE: Final = 0.95
"""Of an interval alone, and of the joint intervals together."""


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

    joint_half_width: float
    """The same for the intervals of all pairs together, by Bonferroni: one of several misses 0 more often by luck."""

    @property
    def is_apart_from_zero(self) -> bool:
        """The interval alone doesn't contain 0."""
        return abs(self.mean) > self.half_width

    @property
    def is_jointly_apart_from_zero(self) -> bool:
        """The joint interval doesn't contain 0."""
        return abs(self.mean) > self.joint_half_width


def paired_differences(section: Mapping[str, Any]) -> list[Difference]:
    """Return the difference of each pair of frameworks that share two seeds or more.

    Runs with the same seed see the images in the same order; initial weights, pixels and noise are each framework's
    own.
    """
    seeds = measured_runs(section)
    pairs = {
        (first, second): [seed for seed in seeds[first] if seed in seeds[second]]
        for first, second in combinations(seeds, 2)
    }
    pairs = {pair: shared for pair, shared in pairs.items() if len(shared) >= 2}
    differences = []
    for (first, second), shared in pairs.items():
        values = [seeds[second][seed]["elbo"]["value"] - seeds[first][seed]["elbo"]["value"] for seed in shared]
        differences.append(
            Difference(
                of=(first, second),
                seeds=len(shared),
                mean=statistics.fmean(values),
                half_width=half_width(values),
                joint_half_width=half_width(values, outside=(1 - CONFIDENCE) / len(pairs)),
            )
        )
    return differences


def half_width(values: Sequence[float], *, outside: float = 1 - CONFIDENCE) -> float:
    """Return half the width of the interval of a mean by Student's t, which misses it in this share of cases."""
    error = statistics.stdev(values) / math.sqrt(len(values))
    return float(t.ppf(1 - outside / 2, len(values) - 1)) * error
