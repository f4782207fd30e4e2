"""The model's operations on an adapter, once for all frameworks, in NumPy. No HTTP, no framework, no noise of its own.

Each works row by row: a row's outputs depend on no other row, so that a batcher may join and cut what it is given.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.inference.adapter import Adapter
from training.numpy_model import sigmoid

Operation = Callable[..., tuple[ndarray, ...]]
"""From an adapter and inputs, batch first, to outputs, batch first."""


def encode(adapter: Adapter, images: Float32[ndarray, "batch pixels"]) -> tuple[ndarray, ...]:
    """Return mean and logvar of q(z|x)."""
    return adapter.encode(images)


def decode(adapter: Adapter, z: Float32[ndarray, "batch latent"]) -> tuple[ndarray, ...]:
    """Return the probs of p(x|z)."""
    return (sigmoid(adapter.decode(z)),)


def reconstruct(
    adapter: Adapter, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
) -> tuple[ndarray, ...]:
    """Return probs, mean and logvar."""
    logits, mean, logvar = adapter.reconstruct(images, eps)
    return sigmoid(logits), mean, logvar


def reconstruct_and_score(
    adapter: Adapter, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
) -> tuple[ndarray, ...]:
    """Return probs, mean, logvar, and log p(x|z) and KL(q(z|x) || N(0, I)) of each image, in nats."""
    logits, mean, logvar = adapter.reconstruct(images, eps)
    log_likelihood = -binary_cross_entropy_with_logits(logits, images)
    return sigmoid(logits), mean, logvar, log_likelihood, kl_by_dimension(mean, logvar).sum(axis=-1)


def log_likelihood(
    adapter: Adapter, z: Float32[ndarray, "batch latent"], images: Float32[ndarray, "batch pixels"]
) -> tuple[ndarray, ...]:
    """Return log p(x|z) of each pair of an image and a latent, in nats."""
    return (-binary_cross_entropy_with_logits(adapter.decode(z), images),)


def binary_cross_entropy_with_logits(
    logits: Float32[ndarray, "batch pixels"], images: Float32[ndarray, "batch pixels"]
) -> Float32[ndarray, "batch"]:
    """Return -log p(x|z) of each image under independent Bernoullis, in nats, summed over pixels."""
    losses = np.abs(logits)
    np.exp(np.negative(losses, out=losses), out=losses)
    # Not log1p, which takes four times as long: what it would add to a sum over pixels, float32 doesn't hold.
    losses += np.float32(1)
    np.log(losses, out=losses)
    # Pixel by pixel, where a confident logit and its part of the product cancel.
    losses += np.maximum(logits, 0) - logits * images
    totals: Float32[ndarray, "batch"] = losses.sum(axis=-1)
    return totals


def kl_by_dimension(
    mean: Float32[ndarray, "batch latent"], logvar: Float32[ndarray, "batch latent"]
) -> Float32[ndarray, "batch latent"]:
    """Return KL(q(z_i|x) || N(0, 1)) of each latent of each example, in nats.

    Closed form of Kingma & Welling (2014), Appendix B, arXiv:1312.6114.
    """
    divergences: Float32[ndarray, "batch latent"] = np.float32(0.5) * (np.exp(logvar) + mean**2 - 1 - logvar)
    return divergences
