"""The adapter of PyTorch: the module itself, without autograd, for any batch size; on a GPU as CUDA graphs."""

from typing import Final

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray
from torch import Tensor

from app.inference.adapters.base import MAX_BATCH, Tensors, warm_up
from app.inference.adapters.local_adapter import BatchLimit, LocalAdapter, Method
from app.inference.adapters.packed_calls import LARGEST, PackedCalls, warm_up_packed
from app.inference.adapters.pytorch_graphs import GraphedCalls, pinned_array
from training.checkpoints.checkpoint import Checkpoint
from training.pytorch_vae.device import describe_device, device_name, is_out_of_memory, select_device
from training.pytorch_vae.model import VAE
from training.pytorch_vae.weights import import_weights

MANY_ROWS: Final = 128
"""Minimum rows for which a batch is computed by several threads."""


class PytorchAdapter(LocalAdapter):
    """A checkpoint in PyTorch."""

    framework = "pytorch"
    framework_version = str(torch.__version__)

    def __init__(self, checkpoint: Checkpoint, *, device: str, threads: int) -> None:
        """Load the weights onto the device.

        Raises:
            DeviceError: The device isn't available.
        """
        place = select_device(device)
        self.device = device_name(place)
        self.details = describe_device(place)
        self.threads = threads
        self.model = checkpoint.model
        self._vae = VAE(self.model).requires_grad_(False).to(place)
        self._vae.load_state_dict(import_weights(checkpoint.weights))
        self._packed: PackedCalls | None = None
        if self.device == "cpu":
            self.limit = BatchLimit(MAX_BATCH, is_out_of_memory)
            warm_up(self)
        else:
            self.limit = BatchLimit(LARGEST, is_out_of_memory)
            self._packed = PackedCalls(self.model, GraphedCalls(self._vae, self.model, place), make_array=pinned_array)
            warm_up_packed(self.model, self._packed, self.limit)

    @torch.inference_mode()
    def compute(self, method: Method, *inputs: ndarray) -> Tensors:
        """Return a method's outputs for at most `max_batch` rows."""
        if self._packed is not None:
            return self._packed(method, *inputs)
        arrays = [_tensor(array, self.threads) for array in inputs]
        match method:
            case "encode":
                outputs: tuple[Tensor, ...] = self._vae.encode(*arrays)
            case "decode":
                outputs = (self._vae.decode(*arrays),)
            case "reconstruct":
                outputs = self._vae(*arrays)
        return tuple(output.numpy() for output in outputs)

    def count_compilations(self) -> int:
        """Return 0: the module runs eagerly, or as graphs that were recorded at the start, and compiles nothing."""
        return 0


def _tensor(array: Float32[ndarray, "batch values"], threads: int) -> Tensor:
    # For a few images, waking threads takes longer than computing, and they compete with the event loop for cores.
    # The setting belongs to the calling thread.
    torch.set_num_threads(threads if len(array) >= MANY_ROWS else 1)
    # PyTorch shares the array's memory, and warns if it is read-only.
    return torch.from_numpy(np.require(array, requirements="W"))
