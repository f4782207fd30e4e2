"""The model's batch functions on an adapter, once for all frameworks, in NumPy. No HTTP, framework or random numbers.

Each works row by row: a row's outputs depend on no other row, so the batcher may join and split batches.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.inference.adapters.base import Adapter
from training.numpy_model import kl_by_dimension, sigmoid

BatchFunction = Callable[..., tuple[ndarray, ...]]
"""From an adapter and inputs, batch first, to outputs, batch first."""


def encode(adapter: Adapter, images: Float32[ndarray, "batch pixels"]) -> tuple[ndarray, ...]:
    """Return mean and logvar of q(z|x)."""
    return adapter.encode(images)


def encode_and_sample(
    adapter: Adapter, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
) -> tuple[ndarray, ...]:
    """Return mean and logvar of q(z|x), and one draw from it."""
    mean, logvar = adapter.encode(images)
    return mean, logvar, mean + eps * np.exp(logvar / 2)


def decode(adapter: Adapter, z: Float32[ndarray, "batch latent"]) -> tuple[ndarray, ...]:
    """Return the probs of p(x|z)."""
    return (_as_images(adapter, sigmoid(adapter.decode(z))),)


def decode_logits(adapter: Adapter, z: Float32[ndarray, "batch latent"]) -> tuple[ndarray, ...]:
    """Return the logits of p(x|z)."""
    return (_as_images(adapter, adapter.decode(z)),)


def decode_probs_and_logits(adapter: Adapter, z: Float32[ndarray, "batch latent"]) -> tuple[ndarray, ...]:
    """Return the probs of p(x|z) and their logits."""
    logits = adapter.decode(z)
    return _as_images(adapter, sigmoid(logits)), _as_images(adapter, logits)


def apply(
    adapter: Adapter, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
) -> tuple[ndarray, ...]:
    """Return logits, mean and logvar: the model itself, whose noise is an input."""
    logits, mean, logvar = adapter.reconstruct(images, eps)
    return _as_images(adapter, logits), mean, logvar


def reconstruct(
    adapter: Adapter, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
) -> tuple[ndarray, ...]:
    """Return probs, mean and logvar."""
    logits, mean, logvar = adapter.reconstruct(images, eps)
    return _as_images(adapter, sigmoid(logits)), mean, logvar


def reconstruct_and_score(
    adapter: Adapter, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
) -> tuple[ndarray, ...]:
    """Return probs, mean, logvar, and each image's ELBO, log p(x|z) and KL(q(z|x) || N(0, I)), in nats."""
    logits, mean, logvar = adapter.reconstruct(images, eps)
    log_likelihood = -binary_cross_entropy_with_logits(logits, images)
    kl = kl_by_dimension(mean, logvar).sum(axis=-1)
    return _as_images(adapter, sigmoid(logits)), mean, logvar, log_likelihood - kl, log_likelihood, kl


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
    # log1p takes four times as long, and its extra precision is lost in a float32 sum over pixels.
    losses += np.float32(1)
    np.log(losses, out=losses)
    # Added per pixel, where a confident logit and its part of the product cancel.
    losses += np.maximum(logits, 0) - logits * images
    totals: Float32[ndarray, "batch"] = losses.sum(axis=-1)
    return totals


def _as_images(adapter: Adapter, rows: Float32[ndarray, "batch pixels"]) -> Float32[ndarray, "batch height width"]:
    return rows.reshape(-1, *adapter.model.image_shape)
