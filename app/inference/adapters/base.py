"""The interface between the service and a framework: three methods, NumPy float32 in and out. No framework here."""

import os
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from training.config import ModelConfig
from training.device_names import DeviceDetails

Tensors = tuple[ndarray, ...]
"""Inputs or outputs of a call, batch first."""

MAX_BATCH: Final = 256
"""Maximum rows of a batch on a CPU: larger ones are hardly faster per row, and delay other jobs longer."""


class AdapterError(Exception):
    """The backend of an adapter can't compute any more; the message says why, as in "because ..."."""


class Adapter(Protocol):
    """One trained model, loaded by one framework on one device.

    Methods accept any batch size. They block, and are called by one thread at a time.
    """

    framework: str
    """Canonical name: jax, tensorflow or pytorch."""

    framework_version: str
    """Version of the framework's package."""

    device: str
    """The device that it computes on: cpu or cuda."""

    details: DeviceDetails | None = None
    """Name and memory of a GPU; None on a CPU, and on another machine."""

    threads: int
    """Maximum threads that a call uses on a CPU."""

    model: ModelConfig
    """The architecture."""

    def encode(
        self, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x) for images in [0, 1]."""
        ...

    def decode(self, z: Float32[ndarray, "batch latent"]) -> Float32[ndarray, "batch pixels"]:
        """Return the logits of p(x|z)."""
        ...

    def reconstruct(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return logits, mean and logvar with z = mean + eps * exp(logvar / 2), in one compiled call."""
        ...

    def count_compilations(self) -> int:
        """Return the number of compilations or traces; after the warm-up it should stay constant."""
        ...

    @property
    def max_batch(self) -> int:
        """Maximum rows of a batch that is joined from requests; it may fall while the service runs."""
        return MAX_BATCH

    @property
    def pid(self) -> int | None:
        """Process ID of the process that computes; None if that is on another machine."""
        return os.getpid()

    def continue_trace(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Let the next call of this thread belong to the trace of these headers, where another server computes it."""
        del headers  # computed here: the trace ends

    def find_fault(self) -> str | None:
        """Return why the backend can't compute any more, or None. The event loop calls it, so it never blocks."""
        return None

    def close(self) -> None:
        """Release what the adapter holds outside this process; a call in progress may fail."""


def warm_up(adapter: Adapter, batch_sizes: Iterable[int] = (1, 2)) -> None:
    """Call every method with every batch size, so that no request waits for compilation."""
    for size in batch_sizes:
        images = np.zeros((size, adapter.model.image_dim), np.float32)
        z = np.zeros((size, adapter.model.latent_dim), np.float32)
        adapter.encode(images)
        adapter.decode(z)
        adapter.reconstruct(images, z)


def probe(adapter: Adapter) -> None:
    """Reconstruct one black image, to distinguish a broken model from a bad input.

    Raises:
        FloatingPointError: The output isn't finite.
    """
    images = np.zeros((1, adapter.model.image_dim), np.float32)
    eps = np.zeros((1, adapter.model.latent_dim), np.float32)
    if not all(np.isfinite(array).all() for array in adapter.reconstruct(images, eps)):
        raise FloatingPointError("the model's output for a black image isn't finite")
