"""Multi-step operations: scoring with the importance-weighted bound, interpolating images. Imports no framework.

Each function returns named arrays, the main result first; their first axis is the batch.
"""

import math

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.inference import operations, vae
from app.inference.adapters.base import MAX_BATCH
from app.inference.noise import Noise
from app.inference.operations import NamedArrays
from app.inference.session import ModelSession
from training.importance_weighted_bound import ImportanceWeightedBound
from training.numpy_model import kl_by_dimension


async def interpolate_images(session: ModelSession, ends: Float32[ndarray, "2 pixels"], *, steps: int) -> NamedArrays:
    """Interpolate between the means of q(z|x) of two images; the arrays are those of `operations.interpolate`."""
    mean, _ = await session.run(vae.encode, ends)
    return await session.run_operation(operations.interpolate(session.adapter.model, mean, steps=steps))


async def score(
    session: ModelSession, images: Float32[ndarray, "batch pixels"], *, samples: int, seed: int
) -> NamedArrays:
    """Return the ELBO and its parts, averaged over the samples, and the importance-weighted bound.

    All per image and in nats, but for the bits per pixel. The bound is Burda, Grosse & Salakhutdinov's (2016),
    arXiv:1509.00519: log of the mean of p(x, z) / q(z|x) over the samples. With several samples, its standard error (by
    the delta method) and the effective number of samples, on which that error depends, are returned too.
    """
    mean, logvar = await session.run(vae.encode, images)
    bound = ImportanceWeightedBound(len(images))
    noise = Noise(seed)
    at_once = max(1, MAX_BATCH // len(images))
    total = np.zeros(len(images))
    for begun in range(0, samples, at_once):
        count = min(at_once, samples - begun)
        eps = noise.draw((count, *mean.shape))
        z = mean + eps * np.exp(logvar / 2)
        (log_likelihood,) = await session.run(
            vae.log_likelihood, z.reshape(-1, z.shape[-1]), np.tile(images, (count, 1)) if count > 1 else images
        )
        log_likelihood = log_likelihood.reshape(count, -1)
        total += log_likelihood.sum(axis=0, dtype=np.float64)
        # The constants of log p(z) and log q(z|x) cancel.
        bound.add(log_likelihood + 0.5 * (eps**2 + logvar - z**2).sum(axis=-1))
    kl_per_dimension = kl_by_dimension(mean, logvar)
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
    arrays["iwae"] = bound.bound.astype(np.float32)
    if samples > 1:
        arrays["iwae_standard_error"] = bound.standard_error.astype(np.float32)
        arrays["effective_samples"] = bound.effective_samples.astype(np.float32)
    return arrays
