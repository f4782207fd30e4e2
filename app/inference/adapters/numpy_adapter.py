"""The adapter without a framework: the same model in NumPy, for tests and measurements of the service."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.inference.adapters.base import Adapter
from training import numpy_model
from training.checkpoints.checkpoint import Checkpoint
from training.checkpoints.snapshots import load_epoch


class NumpyAdapter(Adapter):
    """A `training.checkpoints.checkpoint.Checkpoint` evaluated with NumPy; slow, and right."""

    framework_version = np.__version__

    def __init__(
        self, checkpoint: Checkpoint, *, framework: str = "numpy", device: str = "cpu", threads: int = 1
    ) -> None:
        self.framework = framework
        self.device = "cpu" if device == "auto" else device
        self.threads = threads
        self.model = checkpoint.model
        self._weights = checkpoint.weights

    def encode(
        self, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x)."""
        return numpy_model.encode(self._weights, images)

    def decode(self, z: Float32[ndarray, "batch latent"]) -> Float32[ndarray, "batch pixels"]:
        """Return the logits of p(x|z)."""
        return numpy_model.decode(self._weights, z)

    def reconstruct(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return logits, mean and logvar with z = mean + eps * exp(logvar / 2)."""
        mean, logvar = self.encode(images)
        return self.decode(mean + eps * np.exp(logvar / 2)), mean, logvar

    def count_compilations(self) -> int:
        """Return 0: NumPy compiles nothing."""
        return 0

    def close(self) -> None:
        """Release nothing: NumPy holds no device."""


def load_numpy(
    framework: str,
    *,
    path: Path,
    device: str,
    epoch: int | None = None,
) -> tuple[Checkpoint, NumpyAdapter]:
    """Load a framework's checkpoint, or a snapshot of its run, into NumPy: a `loader.Load` that needs no framework.

    Raises:
        CheckpointError: The checkpoint can't be read.
    """
    checkpoint = load_epoch(path, epoch)
    return checkpoint, NumpyAdapter(checkpoint, framework=framework, device=device)
