"""The adapter of no framework: the same model in NumPy, for tests of the service that need not load one."""

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from training.checkpoint import Checkpoint


class FakeAdapter:
    """A `training.checkpoint.Checkpoint` evaluated with NumPy; slow, and right."""

    device = "cpu"
    framework_version = np.__version__

    def __init__(self, checkpoint: Checkpoint, *, framework: str) -> None:
        self.framework = framework
        self.model = checkpoint.model
        self._weights = checkpoint.weights

    def encode(
        self, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x)."""
        hidden = np.maximum(self._dense("encoder.hidden", images), 0)
        return self._dense("encoder.mean", hidden), self._dense("encoder.logvar", hidden)

    def decode(self, z: Float32[ndarray, "batch latent"]) -> Float32[ndarray, "batch pixels"]:
        """Return the logits of p(x|z)."""
        return self._dense("decoder.logits", np.maximum(self._dense("decoder.hidden", z), 0))

    def reconstruct(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return logits, mean and logvar with z = mean + eps * exp(logvar / 2)."""
        mean, logvar = self.encode(images)
        return self.decode(mean + eps * np.exp(logvar / 2)), mean, logvar

    def _dense(self, name: str, inputs: Float32[ndarray, "batch in"]) -> Float32[ndarray, "batch out"]:
        outputs: Float32[ndarray, "batch out"] = (
            inputs @ self._weights[f"{name}.kernel"] + self._weights[f"{name}.bias"]
        )
        return outputs
