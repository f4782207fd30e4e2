"""The adapter of no framework: the same model in NumPy, for tests of the service that need not load one."""

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from training import numpy_model
from training.checkpoint import Checkpoint


class FakeAdapter:
    """A `training.checkpoint.Checkpoint` evaluated with NumPy; slow, and right."""

    device = "cpu"
    threads = 1
    framework_version = np.__version__

    def __init__(self, checkpoint: Checkpoint, *, framework: str) -> None:
        self.framework = framework
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
