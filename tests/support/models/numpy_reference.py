"""The model in float64 NumPy, forward and backward by hand: what every framework is held against."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def binary_cross_entropy_with_logits(logits: Array, images: Array) -> Array:
    """Return log(1 + exp(logits)) - logits * images, summed over pixels."""
    return (np.logaddexp(0, logits) - logits * images).sum(axis=-1)


def kl_divergence(mean: Array, logvar: Array) -> Array:
    """Return the closed form of KL(N(mean, exp(logvar)) || N(0, I)), summed over latents."""
    return (np.exp(logvar) + mean**2 - 1 - logvar).sum(axis=-1) / 2


def forward(weights: dict[str, Array], images: Array, eps: Array) -> dict[str, Array]:
    """Return every intermediate of the forward pass by name."""
    w = weights
    encoded = np.maximum(images @ w["encoder.hidden.kernel"] + w["encoder.hidden.bias"], 0)
    mean = encoded @ w["encoder.mean.kernel"] + w["encoder.mean.bias"]
    logvar = encoded @ w["encoder.logvar.kernel"] + w["encoder.logvar.bias"]
    z = mean + eps * np.exp(logvar / 2)
    decoded = np.maximum(z @ w["decoder.hidden.kernel"] + w["decoder.hidden.bias"], 0)
    logits = decoded @ w["decoder.logits.kernel"] + w["decoder.logits.bias"]
    return {"encoded": encoded, "mean": mean, "logvar": logvar, "z": z, "decoded": decoded, "logits": logits}


def loss(weights: dict[str, Array], images: Array, eps: Array) -> float:
    """Return the negative ELBO, averaged over the batch."""
    a = forward(weights, images, eps)
    losses = binary_cross_entropy_with_logits(a["logits"], images) + kl_divergence(a["mean"], a["logvar"])
    return float(losses.mean())


def gradients(weights: dict[str, Array], images: Array, eps: Array) -> dict[str, Array]:
    """Return the derivative of `loss` by every weight, by the chain rule."""
    a = forward(weights, images, eps)
    n = len(images)
    derivatives: dict[str, Array] = {}

    def backward(layer: str, inputs: Array, outputs: Array) -> Array:
        derivatives[f"{layer}.kernel"] = inputs.T @ outputs
        derivatives[f"{layer}.bias"] = outputs.sum(axis=0)
        return outputs @ weights[f"{layer}.kernel"].T

    logits = (1 / (1 + np.exp(-a["logits"])) - images) / n
    decoded = backward("decoder.logits", a["decoded"], logits) * (a["decoded"] > 0)
    z = backward("decoder.hidden", a["z"], decoded)
    mean = z + a["mean"] / n
    logvar = z * eps * np.exp(a["logvar"] / 2) / 2 + (np.exp(a["logvar"]) - 1) / (2 * n)
    encoded = backward("encoder.mean", a["encoded"], mean) + backward("encoder.logvar", a["encoded"], logvar)
    backward("encoder.hidden", images, encoded * (a["encoded"] > 0))
    return derivatives
