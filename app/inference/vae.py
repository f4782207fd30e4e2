"""What the service computes with an adapter, once for all frameworks, in NumPy. No HTTP, no framework.

Each function returns its arrays by name, the most wanted first, the batch as first axis.
"""

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.inference.adapter import Adapter
from training.numpy_model import sigmoid

Arrays = dict[str, ndarray]


def draw_noise(seed: int, shape: tuple[int, ...]) -> Float32[ndarray, "..."]:
    """Draw eps ~ N(0, I) of a seed in [0, 2^63): the same on every machine and for every framework.

    The rows are drawn one after the other, so the first don't depend on how many follow.
    """
    generator = np.random.Generator(np.random.Philox(key=seed))
    return generator.standard_normal(shape, dtype=np.float32)


def reconstruct(adapter: Adapter, images: Float32[ndarray, "batch pixels"], *, seed: int) -> Arrays:
    """Return probs, mean, logvar, and the ELBO of the given pixels with its two parts, in nats, per image."""
    eps = draw_noise(seed, (len(images), adapter.model.latent_dim))
    logits, mean, logvar = adapter.reconstruct(images, eps)
    log_likelihood = -binary_cross_entropy_with_logits(logits, images)
    kl = kl_divergence(mean, logvar)
    return {
        "probs": _as_images(adapter, sigmoid(logits)),
        "mean": mean,
        "logvar": logvar,
        "elbo": log_likelihood - kl,
        "log_likelihood": log_likelihood,
        "kl_divergence": kl,
    }


def encode(adapter: Adapter, images: Float32[ndarray, "batch pixels"]) -> Arrays:
    """Return mean and logvar of q(z|x)."""
    mean, logvar = adapter.encode(images)
    return {"mean": mean, "logvar": logvar}


def encode_and_sample(adapter: Adapter, images: Float32[ndarray, "batch pixels"], *, seed: int) -> Arrays:
    """Return mean and logvar of q(z|x), and one draw from it as latents."""
    mean, logvar = adapter.encode(images)
    latents = mean + draw_noise(seed, mean.shape) * np.exp(logvar / 2)
    return {"mean": mean, "logvar": logvar, "latents": latents}


def decode(adapter: Adapter, latents: Float32[ndarray, "batch latent"]) -> Arrays:
    """Return the probs of p(x|z)."""
    return {"probs": _as_images(adapter, sigmoid(adapter.decode(latents)))}


def sample(adapter: Adapter, *, n: int, seed: int) -> Arrays:
    """Return the probs of n latents drawn from the prior N(0, I), and the latents."""
    latents = draw_noise(seed, (n, adapter.model.latent_dim))
    return decode(adapter, latents) | {"latents": latents}


def binary_cross_entropy_with_logits(
    logits: Float32[ndarray, "batch pixels"], images: Float32[ndarray, "batch pixels"]
) -> Float32[ndarray, "batch"]:
    """Return -log p(x|z) of each image under independent Bernoullis, in nats, summed over pixels."""
    losses = np.maximum(logits, 0) - logits * images + np.log1p(np.exp(-np.abs(logits)))
    totals: Float32[ndarray, "batch"] = losses.sum(axis=-1)
    return totals


def kl_divergence(
    mean: Float32[ndarray, "batch latent"], logvar: Float32[ndarray, "batch latent"]
) -> Float32[ndarray, "batch"]:
    """Return KL(q(z|x) || N(0, I)) of each example, in nats.

    Closed form of Kingma & Welling (2014), Appendix B, arXiv:1312.6114.
    """
    divergences: Float32[ndarray, "batch"] = 0.5 * (np.exp(logvar) + mean**2 - 1 - logvar).sum(axis=-1)
    return divergences


def _as_images(adapter: Adapter, probs: Float32[ndarray, "batch pixels"]) -> Float32[ndarray, "batch height width"]:
    return probs.reshape(-1, *adapter.model.image_shape)
