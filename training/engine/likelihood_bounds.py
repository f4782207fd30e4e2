"""Everything that is known of weights: bounds on the likelihood of images, the use of latents. Imports no framework."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

from training.checkpoint import Weights
from training.evaluation import Evaluator, elbo_terms

ACTIVE = 0.01
"""A latent is active where its activity is above this, as Burda et al. (2016) have it, arXiv:1509.00519."""

_BATCH = 1000
_IMAGES = 100  # whose noise is drawn together for the importance-weighted bound
_LOGITS = 2**20  # in memory at a time: what fits a cache is decoded faster
_SEED = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure of a data set, estimated on some of its images."""

    value: float
    """The estimate."""

    standard_error: float | None
    """Its standard error over images; None where there is one image only."""

    @classmethod
    def of_mean(cls, values: Float64[ndarray, "images"]) -> Self:
        """Return the mean of one value an image."""
        n = len(values)
        return cls(float(values.mean()), float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else None)

    @classmethod
    def of_variance(cls, values: Float64[ndarray, "images"]) -> Self:
        """Return the variance over images, whose standard error is, for many images, sqrt((m4 - m2^2) / n)."""
        n = len(values)
        squares = np.square(values - values.mean())
        return cls(float(squares.mean()), float(squares.std()) / math.sqrt(n) if n > 1 else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """All figures of a model on one part of a data set; in nats per image unless it says otherwise."""

    elbo: Estimate
    """log_likelihood - kl_divergence: a lower bound on log p(x)."""

    log_likelihood: Estimate
    """Mean log p(x|z)."""

    kl_divergence: Estimate
    """Mean KL(q(z|x) || N(0, I))."""

    iwae: Estimate
    """The importance-weighted bound on log p(x), tighter the more samples."""

    bits_per_pixel: Estimate
    """-elbo in bits, over the pixels of an image."""

    iwae_bits_per_pixel: Estimate
    """-iwae in bits, over the pixels of an image."""

    active_units: int
    """Latents whose `activity` is above `ACTIVE`."""

    kl_per_dimension: tuple[Estimate, ...]
    """Of each latent: its part of kl_divergence."""

    activity: tuple[Estimate, ...]
    """Of each latent: the variance over images of its mean, Cov_x(E[z|x]) of Burda et al. (2016), no unit."""


def measure(  # noqa: PLR0913 - progress is one more than what is measured
    evaluator: Evaluator,
    weights: Weights,
    images: Float32[ndarray, "n pixels"],
    *,
    draws: int,
    samples: int,
    advance: Callable[[int], object] = lambda _: None,
) -> Measurement:
    """Return every figure of weights on binary images; the ELBO and its parts are those of `evaluate`.

    Args:
        evaluator: The framework that computes.
        weights: What is measured.
        images: On what.
        draws: Draws of noise for each image for the ELBO.
        samples: Draws for each image for the importance-weighted bound.
        advance: Called now and then with how many of the `len(images) * samples` have been decoded since.
    """
    log_likelihood, kl = elbo_terms(evaluator, weights, images, draws)
    iwae = importance_weighted_bounds(evaluator, weights, images, samples=samples, advance=advance)
    batches = [evaluator.encode(weights, images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
    mean, logvar = (np.concatenate(arrays).astype(np.float64) for arrays in zip(*batches, strict=True))
    kl_per_dimension = 0.5 * (np.exp(logvar) + np.square(mean) - 1 - logvar)
    activity = tuple(map(Estimate.of_variance, mean.T))
    bits = 1 / (math.log(2) * images.shape[1])
    return Measurement(
        elbo=Estimate.of_mean(log_likelihood - kl),
        log_likelihood=Estimate.of_mean(log_likelihood),
        kl_divergence=Estimate.of_mean(kl),
        iwae=Estimate.of_mean(iwae),
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
    samples: int,
    advance: Callable[[int], object] = lambda _: None,
) -> Float64[ndarray, "n"]:
    """Return log (1/k) sum_i p(x|z_i) p(z_i) / q(z_i|x) of each image, for k = `samples` draws z_i from q(z|x).

    L_k of Burda, Grosse & Salakhutdinov (2016), section 3, arXiv:1509.00519: with one sample it estimates the ELBO,
    and its expectation rises with k to log p(x). The noise is the same at every call and for every framework.
    """
    latent_dim = len(weights["encoder.mean.bias"])
    generator = np.random.default_rng(_SEED)
    rows = max(_LOGITS // images.shape[1], 1)
    batch = min(rows, _IMAGES, len(images))
    step = min(rows // batch, samples)
    sums = np.full(len(images), -np.inf)  # the logarithms of the sums of weights: a weight itself underflows
    for start in range(0, len(images), batch):
        part = slice(start, start + batch)
        for first in range(0, samples, step):
            shape = (min(step, samples - first), len(images[part]), latent_dim)
            eps = generator.standard_normal(shape, dtype=np.float32)
            log_weights = evaluator.log_weights(weights, images[part], eps).astype(np.float64)
            sums[part] = np.logaddexp(sums[part], np.logaddexp.reduce(log_weights, axis=0))
            advance(log_weights.size)
    return sums - math.log(samples)
