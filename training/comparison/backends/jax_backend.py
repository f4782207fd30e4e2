"""JAX in the comparison: execution modes, training steps on given batches, a trained model layer by layer."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax.experimental.compilation_cache import compilation_cache
from jaxtyping import Float32
from numpy import ndarray

from training.checkpoints.checkpoint import Weights
from training.comparison.backends.layers import layer_outputs
from training.config import ModelConfig, TrainConfig
from training.jax_vae.device import device_name, select_device
from training.jax_vae.model import VAE, reparameterize
from training.jax_vae.train import create_train_state, train_step
from training.jax_vae.weights import export_weights, import_weights
from training.machine import count_cores


@contextmanager
def execution_mode(mode: str, *, cache: str | None = None) -> Iterator[dict[str, Any]]:
    """Train compiled, an epoch as one scan, or eagerly, one operation at a time; yield `Trainer` options.

    Compiled code is taken from and left in the folder `cache`, if there is one.
    """
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    before = jax.config.values["jax_compilation_cache_dir"]
    _use_cache(cache)
    try:
        with jax.disable_jit(disable=mode == "eager"):
            yield {}
    finally:
        _use_cache(before)


def count_threads() -> int:
    """Return how many threads an operation may use."""
    return count_cores()  # XLA's default on a CPU; JAX doesn't report the number


class Replay:
    """The steps of a training run on given batches and noise. Draws nothing at random."""

    def __init__(
        self, model_config: ModelConfig, config: TrainConfig, weights: Weights, *, steps_per_epoch: int, device: str
    ) -> None:
        """Start from the weights."""
        select_device(device)
        self._state = create_train_state(model_config, config, steps_per_epoch=steps_per_epoch, weights=weights)

    def step(self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]) -> float:
        """Take a step and return the loss before it: the mean negative ELBO of the batch, in nats."""
        self._state, mean_elbo, _ = train_step(self._state, jnp.array(images), jnp.array(eps))
        return -float(mean_elbo)

    def weights(self) -> Weights:
        """Return the trained weights, not their average."""
        return export_weights(self._state.params)


class Inference:
    """A trained model on a device, compiled by `jax.jit` for each batch size."""

    def __init__(self, model_config: ModelConfig, weights: Weights, *, device: str) -> None:
        """Load the weights."""
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
        """Return the output of each layer and z, in the order of the forward pass."""
        method = partial(layer_outputs, relu=nn.relu, reparameterize=reparameterize)
        outputs: Any = self._model.apply(self._variables, jnp.array(images), jnp.array(eps), method=method)
        return {name: np.asarray(array) for name, array in outputs.items()}


def _use_cache(folder: str | None) -> None:
    jax.config.update("jax_compilation_cache_dir", folder)
    compilation_cache.reset_cache()  # JAX would stay with the first folder that it has used
