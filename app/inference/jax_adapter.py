"""The adapter of JAX: compiled for a few batch sizes, to which every batch is filled up or cut."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.inference.adapter import warm_up
from training.checkpoint import Checkpoint
from training.config import ModelConfig
from training.jax_vae.device import device_name, select_device
from training.jax_vae.model import VAE
from training.jax_vae.weights import import_weights

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 48, 64, 128, 256)
"""Batch sizes compiled for: JAX compiles anew for every other."""


class JaxAdapter:
    """A checkpoint in JAX; see `app.inference.adapter.Adapter`."""

    framework = "jax"
    framework_version = jax.__version__

    def __init__(self, checkpoint: Checkpoint, *, device: str, threads: int) -> None:
        """Load the weights onto the device and compile.

        Raises:
            DeviceError: The device isn't available.
        """
        self.device = device_name(select_device(device))
        self.threads = threads  # by NPROC: see `app.inference.threads`
        self.model = checkpoint.model
        self._variables = {"params": import_weights(checkpoint.weights)}
        self._encode, self._decode, self._reconstruct = _compile(self.model)
        warm_up(self, BATCH_SIZES)

    def encode(
        self, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x)."""
        mean, logvar = self._call(self._encode, images)
        return mean, logvar

    def decode(self, z: Float32[ndarray, "batch latent"]) -> Float32[ndarray, "batch pixels"]:
        """Return the logits of p(x|z)."""
        (logits,) = self._call(self._decode, z)
        return logits

    def reconstruct(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return logits, mean and logvar with z = mean + eps * exp(logvar / 2)."""
        logits, mean, logvar = self._call(self._reconstruct, images, eps)
        return logits, mean, logvar

    def count_compilations(self) -> int:
        """Return how many batch sizes have been compiled, over all methods."""
        functions: tuple[Any, ...] = (self._encode, self._decode, self._reconstruct)
        return sum(function._cache_size() for function in functions)  # noqa: SLF001 -- JAX has no public count

    def _call(self, compiled: Callable[..., Any], *inputs: ndarray) -> tuple[ndarray, ...]:
        largest = BATCH_SIZES[-1]
        batch = len(inputs[0])
        pieces = []
        for start in range(0, batch, largest):
            rows = min(batch - start, largest)
            size = next(size for size in BATCH_SIZES if size >= rows)
            piece = [_fill_up(array[start : start + rows], size) for array in inputs]
            pieces.append([np.asarray(output)[:rows] for output in compiled(self._variables, *piece)])
        return tuple(
            outputs[0] if len(outputs) == 1 else np.concatenate(outputs) for outputs in zip(*pieces, strict=True)
        )


@cache
def _compile(model: ModelConfig) -> tuple[Callable[..., Any], ...]:
    """Return encode, decode and reconstruct; the next checkpoint of the same architecture finds them compiled."""
    vae = VAE(model)
    return (
        jax.jit(lambda variables, images: vae.apply(variables, images, method="encode")),
        jax.jit(lambda variables, z: (vae.apply(variables, z, method="decode"),)),
        jax.jit(vae.apply),
    )


def _fill_up(array: Float32[ndarray, "rows values"], size: int) -> Float32[ndarray, "size values"]:
    if len(array) == size:
        return array
    filled = np.zeros((size, *array.shape[1:]), np.float32)
    filled[: len(array)] = array
    return filled
