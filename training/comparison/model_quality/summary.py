"""What the quality section's runs come to over their seeds. No words, no plots."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final

LEVELS: Final = (110, 105, 100)
"""-ELBO in nats, of which the page says when they are reached."""


def mean_curve(found: Mapping[str, Any]) -> list[float]:
    """Return -ELBO on the validation images after each epoch, the mean of the seeds, in nats."""
    curves = [[-epoch["validation_elbo"] for epoch in run["curve"]] for run in found["seeds"].values()]
    return [statistics.fmean(values) for values in zip(*curves, strict=True)]


def epochs_to(curve: Sequence[float], level: float) -> int | None:
    """Return after how many epochs a curve is first at or below a level; None where it never is."""
    return next((number for number, value in enumerate(curve, start=1) if value <= level), None)
