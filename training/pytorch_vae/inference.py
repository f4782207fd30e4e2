"""A trained model in PyTorch, for a comparison: one call, and each layer's outputs. Not the service's adapter."""

import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Tensor

from training.checkpoint import Weights
from training.config import ModelConfig
from training.pytorch_vae.device import device_name, select_device
from training.pytorch_vae.model import VAE, reparameterize
from training.pytorch_vae.weights import import_weights


class Inference:
    """Weights on a device, with the model as it is served: not compiled, in `torch.inference_mode`."""

    def __init__(self, model_config: ModelConfig, weights: Weights, *, device: str) -> None:
        """Load the weights onto the device."""
        self._device = select_device(device)
        self.device = device_name(self._device)
        self._model = VAE(model_config).requires_grad_(False).to(self._device)
        self._model.load_state_dict(import_weights(weights))

    @torch.inference_mode()
    def reconstruct(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return logits, mean and logvar."""
        logits, mean, logvar = self._model(*self._tensors(images, eps))
        return logits.numpy(force=True), mean.numpy(force=True), logvar.numpy(force=True)

    @torch.inference_mode()
    def layer_outputs(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> dict[str, Float32[ndarray, "batch units"]]:
        """Return what each layer gives, hidden ones after their rectifier, and z, in the order of the forward pass."""
        outputs = _layer_outputs(self._model, *self._tensors(images, eps))
        return {name: array.numpy(force=True) for name, array in outputs.items()}

    def _tensors(self, *arrays: ndarray) -> tuple[Tensor, ...]:
        return tuple(torch.from_numpy(array).to(self._device) for array in arrays)


def _layer_outputs(
    model: VAE, images: Float[Tensor, "batch pixels"], eps: Float[Tensor, "batch latent"]
) -> dict[str, Float[Tensor, "batch units"]]:
    encoded = torch.relu(model.encoder.hidden(images))
    mean, logvar = model.encoder.mean(encoded), model.encoder.logvar(encoded)
    z = reparameterize(mean, logvar, eps)
    decoded = torch.relu(model.decoder.hidden(z))
    return {
        "encoder.hidden": encoded,
        "encoder.mean": mean,
        "encoder.logvar": logvar,
        "z": z,
        "decoder.hidden": decoded,
        "decoder.logits": model.decoder.logits(decoded),
    }
