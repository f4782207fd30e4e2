"""A trained model in JAX, for a comparison: one compiled call, and each layer's outputs. Not the service's adapter."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import Array
from jaxtyping import Float, Float32
from numpy import ndarray

from training.checkpoint import Weights
from training.config import ModelConfig
from training.jax_vae.device import device_name, select_device
from training.jax_vae.model import VAE, reparameterize
from training.jax_vae.weights import import_weights


class Inference:
    """Weights on a device, with the model compiled: `jax.jit`, once for each batch size."""

    def __init__(self, model_config: ModelConfig, weights: Weights, *, device: str) -> None:
        """Load the weights onto the device."""
        self.device = device_name(select_device(device))
        self._variables = {"params": import_weights(weights)}
        self._model = VAE(model_config)
        self._call = jax.jit(self._model.apply)

    def reconstruct(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return logits, mean and logvar."""
        logits, mean, logvar = self._call(self._variables, images, eps)
        return np.asarray(logits), np.asarray(mean), np.asarray(logvar)

    def layer_outputs(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> dict[str, Float32[ndarray, "batch units"]]:
        """Return what each layer gives, hidden ones after their rectifier, and z, in the order of the forward pass."""
        outputs: Any = self._model.apply(self._variables, jnp.array(images), jnp.array(eps), method=_layer_outputs)
        return {name: np.asarray(array) for name, array in outputs.items()}


def _layer_outputs(
    model: VAE, images: Float[Array, "batch pixels"], eps: Float[Array, "batch latent"]
) -> dict[str, Float[Array, "batch units"]]:
    encoded = nn.relu(model.encoder.hidden(images))
    mean, logvar = model.encoder.mean(encoded), model.encoder.logvar(encoded)
    z = reparameterize(mean, logvar, eps)
    decoded = nn.relu(model.decoder.hidden(z))
    return {
        "encoder.hidden": encoded,
        "encoder.mean": mean,
        "encoder.logvar": logvar,
        "z": z,
        "decoder.hidden": decoded,
        "decoder.logits": model.decoder.logits(decoded),
    }
