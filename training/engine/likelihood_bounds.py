"""Metrics of trained weights: ELBO, importance-weighted bound, KL and activity per latent. Imports no framework."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

from training.checkpoints.checkpoint import Weights
from training.engine.evaluation import Evaluator, elbo_terms
from training.importance_weighted_bound import ImportanceWeightedBound
from training.numpy_model import kl_by_dimension

ACTIVE = 0.01
"""Activity above which a latent counts as active, from Burda et al. (2016), arXiv:1509.00519."""

_BATCH = 1000
_IMAGES = 100  # images whose noise is drawn together for the importance-weighted bound
_LOGITS = 2**20  # decoded at a time: batches that fit the CPU cache are faster
_SEED = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric of a data set, estimated on a sample of images."""

    value: float
    """The estimate."""

    standard_error: float | None
    """Standard error over images; None for a single image."""

    @classmethod
    def of_mean(cls, values: Float64[ndarray, "images"]) -> Self:
        """Return the mean of one value per image."""
        n = len(values)
        return cls(float(values.mean()), float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else None)

    @classmethod
    def of_variance(cls, values: Float64[ndarray, "images"]) -> Self:
        """Return the variance over images, whose standard error is, for many images, sqrt((m4 - m2^2) / n)."""
        n = len(values)
        squares = np.square(values - values.mean())
        return cls(float(squares.mean()), float(squares.std()) / math.sqrt(n) if n > 1 else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The importance-weighted bound of each image for one number of samples."""

    samples: int
    """Draws from q(z|x) per image."""

    values: Float64[ndarray, "images"]
    """The bound of each image, in nats."""

    effective_samples: Float64[ndarray, "images"]
    """Effective sample size of each image, from 1 to `samples`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundEstimate:
    """The mean importance-weighted bound for one number of samples."""

    samples: int
    """Draws from q(z|x) per image."""

    iwae: Estimate
    """A lower bound on log p(x), so -iwae is an upper bound of -log p(x); the standard error excludes this bias."""

    effective_samples: float
    """Median effective sample size of an image."""

    @classmethod
    def of(cls, bounds: Bounds) -> Self:
        """Return the mean over images."""
        return cls(
            samples=bounds.samples,
            iwae=Estimate.of_mean(bounds.values),
            effective_samples=float(np.median(bounds.effective_samples)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """All metrics of a model on one split of a data set; in nats per image unless stated otherwise."""

    elbo: Estimate
    """log_likelihood - kl_divergence: a lower bound on log p(x)."""

    log_likelihood: Estimate
    """Mean log p(x|z)."""

    kl_divergence: Estimate
    """Mean KL(q(z|x) || N(0, I))."""

    iwae: Estimate
    """The importance-weighted lower bound on log p(x), for the most samples."""

    bounds: tuple[BoundEstimate, ...]
    """The bound for each number of samples, ascending; the more samples, the closer to log p(x)."""

    bits_per_pixel: Estimate
    """-elbo in bits, over the pixels of an image."""

    iwae_bits_per_pixel: Estimate
    """-iwae in bits, over the pixels of an image."""

    active_units: int
    """Latents whose `activity` is above `ACTIVE`."""

    kl_per_dimension: tuple[Estimate, ...]
    """Contribution of each latent to kl_divergence."""

    activity: tuple[Estimate, ...]
    """Activity of each latent: variance of its mean over images, Cov_x(E[z|x]) in Burda et al. (2016), no unit."""


def measure(  # noqa: PLR0913 - progress is one more than what is measured
    evaluator: Evaluator,
    weights: Weights,
    images: Float32[ndarray, "n pixels"],
    *,
    draws: int,
    samples: Sequence[int],
    advance: Callable[[int], object] = lambda _: None,
) -> Measurement:
    """Compute all metrics of weights on binary images; the ELBO and its parts are those of `evaluate`.

    Args:
        evaluator: The framework that computes.
        weights: Canonical arrays of the model.
        images: Binary images.
        draws: Draws of noise per image for the ELBO.
        samples: Numbers of draws per image for the importance-weighted bound, ascending.
        advance: Called with the number of samples decoded since the last call, of `len(images) * samples[-1]`.
    """
    log_likelihood, kl = elbo_terms(evaluator, weights, images, draws)
    bounds = importance_weighted_bounds(evaluator, weights, images, samples=samples, advance=advance)
    iwae = bounds[-1].values
    batches = [evaluator.encode(weights, images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
    mean, logvar = (np.concatenate(arrays).astype(np.float64) for arrays in zip(*batches, strict=True))
    kl_per_dimension = kl_by_dimension(mean, logvar)
    activity = tuple(map(Estimate.of_variance, mean.T))
    bits = 1 / (math.log(2) * images.shape[1])
    return Measurement(
        elbo=Estimate.of_mean(log_likelihood - kl),
        log_likelihood=Estimate.of_mean(log_likelihood),
        kl_divergence=Estimate.of_mean(kl),
        iwae=Estimate.of_mean(iwae),
        bounds=tuple(map(BoundEstimate.of, bounds)),
        bits_per_pixel=Estimate.of_mean((kl - log_likelihood) * bits),
        iwae_bits_per_pixel=Estimate.of_mean(-iwae * bits),
        active_units=sum(estimate.value > ACTIVE for estimate in activity),
        kl_per_dimension=tuple(map(Estimate.of_mean, kl_per_dimension.T)),
        activity=activity,
    )


def importance_weighted_bounds(
    evaluator: Evaluator,
    weights: Weights,
    images: Float32[ndarray, "n pixels"],
    *,
    samples: Sequence[int],
    advance: Callable[[int], object] = lambda _: None,
) -> list[Bounds]:
    """Return the `ImportanceWeightedBound` of each image, for each of the ascending numbers of draws from q(z|x).

    With one sample it estimates the ELBO; with more samples, its expectation rises to log p(x). Smaller numbers use the
    first draws of the largest. The noise is the same at every call with the same `samples`, and for every framework.
    """
    latent_dim = len(weights["encoder.mean.bias"])
    generator = np.random.default_rng(_SEED)
    rows = max(_LOGITS // images.shape[1], 1)
    batch = min(rows, _IMAGES, len(images))
    step = rows // batch
    all_bounds = [
        Bounds(samples=count, values=np.empty(len(images)), effective_samples=np.empty(len(images)))
        for count in samples
    ]
    for start in range(0, len(images), batch):
        part = slice(start, start + batch)
        bound = ImportanceWeightedBound(len(images[part]))
        for begin, bounds in zip((0, *samples), all_bounds, strict=False):
            for first in range(begin, bounds.samples, step):
                shape = (min(step, bounds.samples - first), len(images[part]), latent_dim)
                eps = generator.standard_normal(shape, dtype=np.float32)
                log_weights = evaluator.log_weights(weights, images[part], eps).astype(np.float64)
                bound.add(log_weights)
                advance(log_weights.size)
            bounds.values[part] = bound.bound
            bounds.effective_samples[part] = bound.effective_samples
    return all_bounds
