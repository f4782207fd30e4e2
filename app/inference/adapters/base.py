"""The interface between the service and a framework: three methods, NumPy float32 in and out. No framework here."""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from training.config import ModelConfig


class Adapter(Protocol):
    """One trained model, loaded by one framework on one device.

    Any batch size is taken. The methods block, and are called by one thread at a time.
    """

    framework: str
    """Canonical name: jax, tensorflow or pytorch."""

    framework_version: str
    """Version of the framework's package."""

    device: str
    """Where it computes: cpu or cuda."""

    threads: int
    """Most threads that a call computes with on a CPU."""

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
        """Return how often it has compiled or traced; once it is warm, this should never change."""
        ...


def warm_up(adapter: Adapter, batch_sizes: Iterable[int] = (1, 2)) -> None:
    """Call every method with every batch size, so that no request waits for a compilation."""
    for size in batch_sizes:
        images = np.zeros((size, adapter.model.image_dim), np.float32)
        z = np.zeros((size, adapter.model.latent_dim), np.float32)
        adapter.encode(images)
        adapter.decode(z)
        adapter.reconstruct(images, z)


def probe(adapter: Adapter) -> None:
    """Compute one black image, to tell a model that fails from an input that is to blame.

    Raises:
        FloatingPointError: The answer isn't finite.
    """
    images = np.zeros((1, adapter.model.image_dim), np.float32)
    eps = np.zeros((1, adapter.model.latent_dim), np.float32)
    if not all(np.isfinite(array).all() for array in adapter.reconstruct(images, eps)):
        raise FloatingPointError("the model's answer to a black image isn't finite")
