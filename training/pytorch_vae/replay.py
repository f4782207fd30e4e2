"""Training steps in PyTorch on given batches and noise, for a comparison. Draws nothing at random."""

import torch
from jaxtyping import Float32
from numpy import ndarray

from training.checkpoint import Weights
from training.config import ModelConfig, TrainConfig
from training.pytorch_vae.device import select_device
from training.pytorch_vae.train import create_train_state, train_step
from training.pytorch_vae.weights import export_weights


class Replay:
    """The steps of a run whose every batch and noise is given."""

    def __init__(
        self, model_config: ModelConfig, config: TrainConfig, weights: Weights, *, steps_per_epoch: int, device: str
    ) -> None:
        """Start from the weights."""
        self._device = select_device(device)
        with self._device:
            self._state = create_train_state(model_config, config, steps_per_epoch=steps_per_epoch, weights=weights)

    def step(self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]) -> float:
        """Take a step and return the loss before it: -ELBO, the mean of the batch, in nats."""
        batch, noise = (torch.tensor(array, device=self._device) for array in (images, eps))
        mean_elbo, _ = train_step(self._state, batch, noise)
        return -float(mean_elbo)

    def weights(self) -> Weights:
        """Return the weights that are trained, not their average."""
        return export_weights(self._state.model.state_dict())
