"""The adapter of JAX: compiled for a few batch sizes, to which every batch is padded or split."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Float32
from numpy import ndarray

from app.inference.adapters.base import Tensors, warm_up
from app.inference.adapters.local_adapter import BatchLimit, LocalAdapter, Method
from app.inference.adapters.packed_calls import LARGEST, PackedCalls, warm_up_packed
from training.checkpoints.checkpoint import Checkpoint
from training.config import ModelConfig
from training.jax_vae.device import describe_device, device_name, is_out_of_memory, select_device
from training.jax_vae.model import VAE
from training.jax_vae.weights import Params, import_weights

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 48, 64, 128, 256)
"""Batch sizes to compile for on a CPU: JAX would compile again for every other."""


class JaxAdapter(LocalAdapter):
    """A checkpoint in JAX."""

    framework = "jax"
    framework_version = jax.__version__

    def __init__(self, checkpoint: Checkpoint, *, device: str, threads: int) -> None:
        """Load the weights onto the device and compile.

        Raises:
            DeviceError: The device isn't available.
        """
        place = select_device(device)
        self.device = device_name(place)
        self.details = describe_device(place)
        self.threads = threads  # set by NPROC: see `app.process_tuning`
        self.model = checkpoint.model
        self._variables = jax.device_put({"params": import_weights(checkpoint.weights)}, place)
        self._compiled = _compile(self.model)
        self._packed: PackedCalls | None = None
        if self.device == "cpu":
            self.limit = BatchLimit(BATCH_SIZES[-1], is_out_of_memory)
            warm_up(self, BATCH_SIZES)
        else:
            self.limit = BatchLimit(LARGEST, is_out_of_memory)
            self._compiled = _compile_packed(self.model)
            self._packed = PackedCalls(self.model, self._compute_packed)
            warm_up_packed(self.model, self._packed, self.limit)

    def compute(self, method: Method, *inputs: ndarray) -> Tensors:
        """Return a method's outputs for at most `max_batch` rows."""
        if self._packed is not None:
            return self._packed(method, *inputs)
        rows = len(inputs[0])
        size = next(size for size in BATCH_SIZES if size >= rows)
        outputs = self._compiled[method](self._variables, *(_pad(array, size) for array in inputs))
        return tuple(np.asarray(output)[:rows] for output in outputs)

    def count_compilations(self) -> int:
        """Return the number of compiled batch sizes over all methods."""
        functions: tuple[Any, ...] = tuple(self._compiled.values())
        return sum(function._cache_size() for function in functions)  # noqa: SLF001 -- JAX has no public count

    def _compute_packed(
        self, method: Method, packed: Float32[ndarray, "size columns"]
    ) -> Float32[ndarray, "size columns"]:
        return np.asarray(self._compiled[method](self._variables, packed))


@cache
def _compile(model: ModelConfig) -> dict[Method, Callable[..., Any]]:
    """Return the methods, cached so that a reload of the same architecture compiles nothing."""
    vae = VAE(model)
    return {
        "encode": jax.jit(lambda variables, images: vae.apply(variables, images, method="encode")),
        "decode": jax.jit(lambda variables, z: (vae.apply(variables, z, method="decode"),)),
        "reconstruct": jax.jit(vae.apply),
    }


@cache
def _compile_packed(model: ModelConfig) -> dict[Method, Callable[..., Any]]:
    """Return the methods with their inputs as columns of one array, and their outputs likewise; cached as above."""
    call: Callable[..., Any] = VAE(model).apply
    pixels = model.image_dim

    def encode(variables: Params, images: Float[Array, "size pixels"]) -> Float[Array, "size columns"]:
        return jnp.concatenate(call(variables, images, method="encode"), axis=1)

    def decode(variables: Params, z: Float[Array, "size latent"]) -> Any:
        return call(variables, z, method="decode")

    def reconstruct(variables: Params, packed: Float[Array, "size columns"]) -> Float[Array, "size columns"]:
        images, eps = packed[:, :pixels], packed[:, pixels : pixels + model.latent_dim]
        return jnp.concatenate(call(variables, images, eps), axis=1)

    return {
        "encode": jax.jit(encode),
        "decode": jax.jit(decode),
        "reconstruct": jax.jit(reconstruct, donate_argnames="packed"),  # the output takes the input's memory
    }


def _pad(array: Float32[ndarray, "rows values"], size: int) -> Float32[ndarray, "size values"]:
    if len(array) == size:
        return array
    filled = np.zeros((size, *array.shape[1:]), np.float32)
    filled[: len(array)] = array
    return filled
