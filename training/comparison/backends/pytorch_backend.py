"""PyTorch in the comparison: execution modes, training steps on given batches, a trained model layer by layer."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import torch
from jaxtyping import Float32
from numpy import ndarray
from torch import Tensor

from training.checkpoints.checkpoint import Weights
from training.comparison.backends.layers import layer_outputs
from training.comparison.backends.pytorch_compiled import compile_step, no_graph_breaks
from training.config import ModelConfig, TrainConfig
from training.errors import CompilerError
from training.pytorch_vae.device import device_name, select_device
from training.pytorch_vae.model import VAE, reparameterize
from training.pytorch_vae.train import create_train_state, train_step
from training.pytorch_vae.weights import export_weights, import_weights


@contextmanager
def execution_mode(mode: str, *, cache: str | None = None) -> Iterator[dict[str, Any]]:
    """Train compiled, the parts of a step by `torch.compile`, or eagerly; yield `Trainer` options.

    Compiled code is taken from and left in the folder `cache`; by default in an empty one that is deleted.

    Raises:
        CompilerError: There is no C++ compiler, which compiling for a CPU needs, or a graph was broken.
    """
    if mode == "eager":
        yield {"compile_step": lambda step: step}  # without a CUDA graph
        return
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        raise CompilerError(f"torch.compile needs a C++ compiler, and there is no {compiler}: install one, or set CXX")
    step = compile_step("max-autotune-no-cudagraphs" if mode == "compiled, max-autotune" else "default")
    with TemporaryDirectory() as empty, _environment("TORCHINDUCTOR_CACHE_DIR", cache or empty), no_graph_breaks():
        yield {"compile_step": lambda _: step}


def count_threads() -> int:
    """Return how many threads an operation may use."""
    return torch.get_num_threads()


class Replay:
    """The steps of a training run on given batches and noise. Draws nothing at random."""

    def __init__(
        self, model_config: ModelConfig, config: TrainConfig, weights: Weights, *, steps_per_epoch: int, device: str
    ) -> None:
        """Start from the weights."""
        self._device = select_device(device)
        with self._device:
            self._state = create_train_state(model_config, config, steps_per_epoch=steps_per_epoch, weights=weights)

    def step(self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]) -> float:
        """Take a step and return the loss before it: the mean negative ELBO of the batch, in nats."""
        batch, noise = (torch.tensor(array, device=self._device) for array in (images, eps))
        mean_elbo, _ = train_step(self._state, batch, noise)
        return -float(mean_elbo)

    def weights(self) -> Weights:
        """Return the trained weights, not their average."""
        return export_weights(self._state.model.state_dict())


class Inference:
    """A trained model on a device, in `torch.inference_mode`; compiled by `torch.compile` on request."""

    def __init__(self, model_config: ModelConfig, weights: Weights, *, device: str, compiled: bool = False) -> None:
        """Load the weights."""
        self._device = select_device(device)
        self.device = device_name(self._device)
        self._model = VAE(model_config).requires_grad_(False).to(self._device)
        self._model.load_state_dict(import_weights(weights))
        self._call = torch.compile(self._model, fullgraph=True, dynamic=False) if compiled else self._model

    @torch.inference_mode()
    def reconstruct(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return logits, mean and logvar."""
        logits, mean, logvar = self._call(*self._tensors(images, eps))
        return logits.numpy(force=True), mean.numpy(force=True), logvar.numpy(force=True)

    @torch.inference_mode()
    def layer_outputs(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> dict[str, Float32[ndarray, "batch units"]]:
        """Return the output of each layer and z, in the order of the forward pass."""
        arrays = self._tensors(images, eps)
        outputs = layer_outputs(self._model, *arrays, relu=torch.relu, reparameterize=reparameterize)
        return {name: array.numpy(force=True) for name, array in outputs.items()}

    def _tensors(self, *arrays: ndarray) -> tuple[Tensor, ...]:
        return tuple(torch.from_numpy(array).to(self._device) for array in arrays)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    # An empty cache: code compiled by an earlier process would make the first step look fast.
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
