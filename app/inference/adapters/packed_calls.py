"""Calls of a model on a GPU: few batch sizes, and one packed array each way. Imports no framework.

A transfer costs a GPU's link and driver about the same for one image as for hundreds, so the inputs of a call are
columns of one array, and so are its outputs.
"""

import time
from collections.abc import Callable
from typing import Final

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.inference.adapters.base import MAX_BATCH, Tensors
from app.inference.adapters.local_adapter import BatchLimit, Method
from training.config import ModelConfig

LARGEST: Final = 8192
"""Most rows of a call."""

SIZES: Final = tuple(2**power for power in range(LARGEST.bit_length()))
"""Batch sizes to compile for: 1 to `LARGEST`."""

_WORTHWHILE: Final = 1.1
"""Least gain of rows per second for which the batch is doubled."""

Compute = Callable[[Method, Float32[ndarray, "size columns"]], Float32[ndarray, "size columns"]]


class Columns:
    """The columns of a method's packed arrays."""

    def __init__(self, model: ModelConfig) -> None:
        """Lay out the columns for an architecture."""
        pixels, latent = model.image_dim, model.latent_dim
        self.inputs: dict[Method, tuple[int, ...]] = {
            "encode": (pixels,),
            "decode": (latent,),
            "reconstruct": (pixels, latent),
        }
        self.outputs: dict[Method, tuple[int, ...]] = {
            "encode": (latent, latent),
            "decode": (pixels,),
            "reconstruct": (pixels, latent, latent),
        }

    def width(self, method: Method) -> int:
        """Return the columns of the packed input.

        That of `reconstruct` is as wide as its output, so that a framework may write the output into the same memory.
        """
        return sum(self.outputs[method]) if method == "reconstruct" else sum(self.inputs[method])


class PackedCalls:
    """Packs the inputs of each call into an array that is kept, and unpacks its outputs."""

    def __init__(
        self, model: ModelConfig, compute: Compute, *, make_array: Callable[[int, int], ndarray] | None = None
    ) -> None:
        """Wrap a function of packed arrays.

        Args:
            model: The architecture.
            compute: Returns the packed outputs, in an array that the next call may overwrite.
            make_array: Returns a float32 array of rows and columns that the framework transfers fast.
        """
        self._columns = Columns(model)
        self._compute = compute
        self._make_array = make_array or _zeros
        self._arrays: dict[tuple[Method, int], ndarray] = {}

    def __call__(self, method: Method, *inputs: ndarray) -> Tensors:
        """Return the method's outputs for at most `LARGEST` rows."""
        rows = len(inputs[0])
        size = next(size for size in SIZES if size >= rows)
        packed = self._array(method, size)
        start = 0
        for array in inputs:
            packed[:rows, start : start + array.shape[1]] = array
            start += array.shape[1]
        outputs = self._compute(method, packed)[:rows]
        ends = np.cumsum(self._columns.outputs[method])[:-1]
        return tuple(np.array(array) for array in np.split(outputs, ends, axis=1))

    def _array(self, method: Method, size: int) -> ndarray:
        array = self._arrays.get((method, size))
        if array is None:
            array = self._arrays[method, size] = self._make_array(size, self._columns.width(method))
        return array


def warm_up_packed(model: ModelConfig, calls: PackedCalls, limit: BatchLimit) -> None:
    """Compile every method for the batch sizes that pay, and lower the limit to the largest of them."""
    limit.rows = min(limit.rows, find_batch_size(lambda size: _time_call(model, calls, limit, size), limit))
    for size in SIZES:
        if size <= limit.rows:
            images, latents = _black_images(model, size)
            limit.run(lambda images: calls("encode", images), (images,))
            limit.run(lambda z: calls("decode", z), (latents,))
            limit.run(lambda images, eps: calls("reconstruct", images, eps), (images, latents))


def find_batch_size(time_call: Callable[[int], float], limit: BatchLimit) -> int:
    """Return the batch size, from 256 to the limit, beyond which doubling gains less than a tenth of rows per second.

    Args:
        time_call: Returns the seconds of a call with so many rows; it may lower the limit.
        limit: The limit.
    """
    size = min(MAX_BATCH, limit.rows)
    rate = size / time_call(size)
    while 2 * size <= limit.rows:
        doubled = 2 * size / time_call(2 * size)
        if doubled < _WORTHWHILE * rate or limit.rows < 2 * size:
            break
        size, rate = 2 * size, doubled
    return size


def _time_call(model: ModelConfig, calls: PackedCalls, limit: BatchLimit, size: int) -> float:
    inputs = _black_images(model, size)
    seconds = []
    for _ in range(6):
        began = time.perf_counter()
        limit.run(lambda images, eps: calls("reconstruct", images, eps), inputs)
        seconds.append(time.perf_counter() - began)
    return min(seconds[1:])  # the first compiles


def _black_images(model: ModelConfig, size: int) -> tuple[ndarray, ndarray]:
    return np.zeros((size, model.image_dim), np.float32), np.zeros((size, model.latent_dim), np.float32)


def _zeros(rows: int, columns: int) -> ndarray:
    return np.zeros((rows, columns), np.float32)
