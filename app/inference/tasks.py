"""What the service computes for a request in several operations, once for all frameworks.

Each function returns its arrays by name, the most wanted first, the batch as first axis.
"""

import math
from typing import Protocol

import numpy as np
from jaxtyping import Float32, Float64, Shaped
from numpy import ndarray

from app.inference import plans, vae
from app.inference.adapter import Adapter
from app.inference.noise import Noise
from app.inference.plans import Arrays, Plan
from app.inference.turns import MAX_BATCH
from app.inference.vae import Operation


class Computation(Protocol):
    """A model that computes operations; see `app.inference.computation.Computation`."""

    @property
    def adapter(self) -> Adapter:
        """The model."""
        ...

    async def run(self, operation: Operation, *inputs: Shaped[ndarray, "batch ..."]) -> tuple[ndarray, ...]:
        """Return the operation's outputs."""
        ...


async def carry_out(on: Computation, plan: Plan) -> Arrays:
    """Return the arrays of a plan."""
    return plan.name_outputs(await on.run(plan.operation, *plan.inputs))


async def interpolate_images(on: Computation, ends: Float32[ndarray, "2 pixels"], *, steps: int) -> Arrays:
    """Return what `plans.interpolate` names, between the means of q(z|x) of two images."""
    mean, _ = await on.run(vae.encode, ends)
    return await carry_out(on, plans.interpolate(on.adapter.model, mean, steps=steps))


async def score(on: Computation, images: Float32[ndarray, "batch pixels"], *, samples: int, seed: int) -> Arrays:
    """Return the ELBO and its parts, averaged over the samples, and with several the importance-weighted bound.

    All per image and in nats, but for the bits per pixel. The bound is Burda, Grosse & Salakhutdinov's (2016),
    arXiv:1509.00519: log of the mean of p(x, z) / q(z|x) over the samples, with the standard error that their spread
    gives it (by the delta method).
    """
    mean, logvar = await on.run(vae.encode, images)
    weights = _LogWeights(len(images))
    noise = Noise(seed)
    at_once = max(1, MAX_BATCH // len(images))
    total = np.zeros(len(images))
    for begun in range(0, samples, at_once):
        count = min(at_once, samples - begun)
        eps = noise.draw((count, *mean.shape))
        z = mean + eps * np.exp(logvar / 2)
        (log_likelihood,) = await on.run(
            vae.log_likelihood, z.reshape(-1, z.shape[-1]), np.tile(images, (count, 1)) if count > 1 else images
        )
        log_likelihood = log_likelihood.reshape(count, -1)
        total += log_likelihood.sum(axis=0, dtype=np.float64)
        # log p(z) - log q(z|x), whose constants cancel.
        weights.add(log_likelihood + 0.5 * (eps**2 + logvar - z**2).sum(axis=-1))
    kl_per_dimension = vae.kl_by_dimension(mean, logvar)
    kl = kl_per_dimension.sum(axis=-1)
    log_likelihood = (total / samples).astype(np.float32)
    elbo = log_likelihood - kl
    arrays = {
        "elbo": elbo,
        "log_likelihood": log_likelihood,
        "kl_divergence": kl,
        "kl_per_dimension": kl_per_dimension,
        "bits_per_pixel": -elbo / np.float32(math.log(2) * images.shape[1]),
    }
    return arrays | (weights.bound() if samples > 1 else {})


class _LogWeights:
    """The sums of importance weights and of their squares, relative to the greatest so far, of each image."""

    def __init__(self, images: int) -> None:
        self._samples = 0
        self._greatest = np.full(images, -np.inf)
        self._sum = np.zeros(images)
        self._sum_of_squares = np.zeros(images)

    def add(self, log_weights: Float32[ndarray, "samples batch"]) -> None:
        """Add some samples of each image."""
        greatest = np.maximum(self._greatest, log_weights.max(axis=0))
        scale = np.exp(self._greatest - greatest)
        weights: Float64[ndarray, "samples batch"] = np.exp(log_weights - greatest)
        self._sum = self._sum * scale + weights.sum(axis=0)
        self._sum_of_squares = self._sum_of_squares * scale**2 + (weights**2).sum(axis=0)
        self._greatest = greatest
        self._samples += len(log_weights)

    def bound(self) -> Arrays:
        """Return the log of the mean weight of each image, and its standard error."""
        mean = self._sum / self._samples
        variance = np.maximum(self._sum_of_squares / self._samples - mean**2, 0) / (self._samples - 1)
        return {
            "iwae": (self._greatest + np.log(mean)).astype(np.float32),
            "iwae_standard_error": (np.sqrt(variance) / mean).astype(np.float32),
        }
