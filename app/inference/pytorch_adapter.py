"""The adapter of PyTorch: the module itself, without autograd, for any batch size."""

from typing import Final

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray
from torch import Tensor

from app.inference.adapter import warm_up
from training.checkpoint import Checkpoint
from training.pytorch_vae.device import device_name, select_device
from training.pytorch_vae.model import VAE
from training.pytorch_vae.weights import import_weights

MANY_ROWS: Final = 128
"""From so many rows on, a batch is shared by several threads."""


class PytorchAdapter:
    """A checkpoint in PyTorch; see `app.inference.adapter.Adapter`."""

    framework = "pytorch"
    framework_version = str(torch.__version__)

    def __init__(self, checkpoint: Checkpoint, *, device: str, threads: int) -> None:
        """Load the weights onto the device.

        Raises:
            DeviceError: The device isn't available.
        """
        self._device = select_device(device)
        self.device = device_name(self._device)
        self.threads = threads
        self.model = checkpoint.model
        self._vae = VAE(self.model).requires_grad_(False).to(self._device)
        self._vae.load_state_dict(import_weights(checkpoint.weights))
        warm_up(self)

    @torch.inference_mode()
    def encode(
        self, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x)."""
        mean, logvar = self._vae.encode(self._tensor(images))
        return mean.numpy(force=True), logvar.numpy(force=True)

    @torch.inference_mode()
    def decode(self, z: Float32[ndarray, "batch latent"]) -> Float32[ndarray, "batch pixels"]:
        """Return the logits of p(x|z)."""
        return self._vae.decode(self._tensor(z)).numpy(force=True)

    @torch.inference_mode()
    def reconstruct(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return logits, mean and logvar with z = mean + eps * exp(logvar / 2)."""
        logits, mean, logvar = self._vae(self._tensor(images), self._tensor(eps))
        return logits.numpy(force=True), mean.numpy(force=True), logvar.numpy(force=True)

    def count_compilations(self) -> int:
        """Return 0: the module runs eagerly, in kernels compiled beforehand."""
        return 0

    def _tensor(self, array: Float32[ndarray, "batch values"]) -> Tensor:
        # For a few images, threads take longer to wake than to compute; where the server's own thread has the core of
        # one, they wait for it. The setting is the calling thread's.
        torch.set_num_threads(self.threads if len(array) >= MANY_ROWS else 1)
        # PyTorch shares an array's memory, and warns of one that it may not write to.
        return torch.from_numpy(np.require(array, requirements="W")).to(self._device)
