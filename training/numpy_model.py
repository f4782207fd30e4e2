"""The model's mathematics in NumPy, from canonical weights: for figures, scores and tests. It is never trained."""

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from training.checkpoints.checkpoint import Weights


def encode(
    weights: Weights, images: Float32[ndarray, "batch pixels"]
) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
    """Return mean and logvar of q(z|x) for images in [0, 1]."""
    hidden = np.maximum(_dense(weights, "encoder.hidden", images), 0)
    return _dense(weights, "encoder.mean", hidden), _dense(weights, "encoder.logvar", hidden)


def decode(weights: Weights, z: Float32[ndarray, "batch latent"]) -> Float32[ndarray, "batch pixels"]:
    """Return the logits of p(x|z)."""
    return _dense(weights, "decoder.logits", np.maximum(_dense(weights, "decoder.hidden", z), 0))


def sigmoid(logits: Float32[ndarray, "*shape"]) -> Float32[ndarray, "*shape"]:
    """Return 1 / (1 + exp(-logits)), which is 0 or 1 where exp overflows or vanishes."""
    # In one array: each further one of a large batch takes longer to get from the system than to compute.
    probs: Float32[ndarray, "*shape"] = np.negative(logits)
    with np.errstate(over="ignore"):
        np.exp(probs, out=probs)
    probs += np.float32(1)
    np.reciprocal(probs, out=probs)
    return probs


def kl_by_dimension(
    mean: Float[ndarray, "batch latent"], logvar: Float[ndarray, "batch latent"]
) -> Float[ndarray, "batch latent"]:
    """Return KL(q(z_i|x) || N(0, 1)) of each latent dimension of each image, in nats.

    Closed form of Kingma & Welling (2014), Appendix B, arXiv:1312.6114.
    """
    divergences: Float[ndarray, "batch latent"] = 0.5 * (np.exp(logvar) + mean**2 - 1 - logvar)
    return divergences


def _dense(weights: Weights, name: str, inputs: Float32[ndarray, "batch in"]) -> Float32[ndarray, "batch out"]:
    outputs: Float32[ndarray, "batch out"] = inputs @ weights[f"{name}.kernel"] + weights[f"{name}.bias"]
    return outputs
