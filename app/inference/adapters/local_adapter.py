"""Base class of the adapters that compute in this process: splits batches, into smaller ones if memory runs out."""

import logging
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.inference.adapters.base import Adapter, AdapterError, Tensors

logger = logging.getLogger(__name__)

Method = Literal["encode", "decode", "reconstruct"]


class BatchLimit:
    """Most rows that are computed at once; halved when the device's memory is too small, and never raised again."""

    def __init__(self, rows: int, is_out_of_memory: Callable[[BaseException], bool]) -> None:
        """Start with a number of rows, and the framework's test of an error."""
        self.rows = rows
        self._is_out_of_memory = is_out_of_memory

    def run(self, compute: Callable[..., Tensors], inputs: Sequence[ndarray]) -> Tensors:
        """Return the outputs for all rows, computed in as many calls as the limit requires.

        Raises:
            AdapterError: The memory is too small for a single row.
        """
        total = len(inputs[0])
        pieces: list[Tensors] = []
        start = 0
        while not pieces or start < total:
            piece = [array[start : start + self.rows] for array in inputs]
            outputs = self._attempt(compute, piece)
            if outputs is not None:
                pieces.append(outputs)
                start += len(piece[0])
        return pieces[0] if len(pieces) == 1 else tuple(map(np.concatenate, zip(*pieces, strict=True)))

    def _attempt(self, compute: Callable[..., Tensors], piece: Sequence[ndarray]) -> Tensors | None:
        """Return the outputs, or None if the memory was too small and the limit was halved.

        The error is dropped at the return, with its frames: they hold the arrays that filled the memory.
        """
        rows = len(piece[0])
        try:
            return compute(*piece)
        except Exception as error:
            if not self._is_out_of_memory(error):
                raise
            if rows <= 1:
                raise AdapterError("its device has too little memory for a single image") from error
            reason = str(error).partition("\n")[0][:200]
        self.rows = rows // 2
        logger.warning("out of memory with %d images at once: at most %d from now on (%s)", rows, self.rows, reason)
        return None


class LocalAdapter(Adapter):
    """A checkpoint in a framework of this process; see `app.inference.adapters.base.Adapter`."""

    limit: BatchLimit

    def compute(self, method: Method, *inputs: ndarray) -> Tensors:
        """Return a method's outputs for at most `max_batch` rows, in one call of the framework."""
        raise NotImplementedError

    @property
    def max_batch(self) -> int:
        """Most rows that a call computes at once."""
        return self.limit.rows

    def encode(
        self, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x)."""
        mean, logvar = self.limit.run(self._encode, (images,))
        return mean, logvar

    def decode(self, z: Float32[ndarray, "batch latent"]) -> Float32[ndarray, "batch pixels"]:
        """Return the logits of p(x|z)."""
        (logits,) = self.limit.run(self._decode, (z,))
        return logits

    def reconstruct(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return logits, mean and logvar with z = mean + eps * exp(logvar / 2)."""
        logits, mean, logvar = self.limit.run(self._reconstruct, (images, eps))
        return logits, mean, logvar

    def _encode(self, images: ndarray) -> Tensors:
        return self.compute("encode", images)

    def _decode(self, z: ndarray) -> Tensors:
        return self.compute("decode", z)

    def _reconstruct(self, images: ndarray, eps: ndarray) -> Tensors:
        return self.compute("reconstruct", images, eps)
