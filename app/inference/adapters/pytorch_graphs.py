"""CUDA graphs of a PyTorch model's methods, one for each batch size. On a CPU, the same calls without graphs."""

import logging
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Tensor

from app.inference.adapters.local_adapter import Method
from training.config import ModelConfig
from training.pytorch_vae.model import VAE

logger = logging.getLogger(__name__)


class _Call(NamedTuple):
    """A recorded method for one batch size, and the memory that it reads and writes."""

    inputs: Float[Tensor, "size columns"]
    outputs: Float[Tensor, "size columns"]
    host_outputs: Float[Tensor, "size columns"]
    replay: Callable[[], None]


class GraphedCalls:
    """Computes packed arrays: one transfer there, one graph, one transfer back.

    Started from Python one by one, the kernels of a small batch take longer to launch than to run.
    """

    def __init__(self, vae: VAE, model: ModelConfig, device: torch.device) -> None:
        """Wrap a model on a device; each method and size is recorded at its first call."""
        self._vae = vae
        self._pixels, self._latent = model.image_dim, model.latent_dim
        self._device = device
        self._calls: dict[tuple[Method, int], _Call] = {}

    @torch.inference_mode()
    def __call__(self, method: Method, packed: Float32[ndarray, "size columns"]) -> Float32[ndarray, "size columns"]:
        """Return the packed outputs, in memory that the next call of the same size overwrites."""
        host = torch.from_numpy(packed)
        call = self._calls.get((method, len(packed)))
        if call is None:
            call = self._calls[method, len(packed)] = self._record(method, host)
        call.inputs.copy_(host, non_blocking=True)
        call.replay()
        call.host_outputs.copy_(call.outputs, non_blocking=True)
        if self._device.type == "cuda":
            torch.cuda.current_stream(self._device).synchronize()
        return call.host_outputs.numpy()

    def _record(self, method: Method, host: Float[Tensor, "size columns"]) -> _Call:
        inputs = host.to(self._device)
        outputs = self._forward(method, inputs)  # as it is, once: whatever is allocated once isn't part of the graph

        def run() -> None:
            outputs.copy_(self._forward(method, inputs))

        host_outputs = torch.from_numpy(pinned_array(*outputs.shape)) if inputs.is_cuda else torch.empty_like(outputs)
        if not inputs.is_cuda:
            return _Call(inputs, outputs, host_outputs, run)
        graph = torch.cuda.CUDAGraph()
        try:
            # Records, runs nothing. Other threads, which compute with other models, may go on meanwhile.
            with torch.cuda.device(self._device), torch.cuda.graph(graph, capture_error_mode="thread_local"):
                run()
        except RuntimeError:  # a graph needs memory of its own, and reports its lack in many ways
            logger.warning("no CUDA graph of %s for %d images", method, len(inputs), exc_info=True)
            return _Call(inputs, outputs, host_outputs, run)
        return _Call(inputs, outputs, host_outputs, graph.replay)

    def _forward(self, method: Method, packed: Float[Tensor, "size columns"]) -> Float[Tensor, "size columns"]:
        match method:
            case "encode":
                return torch.cat(self._vae.encode(packed), dim=1)
            case "decode":
                return self._vae.decode(packed)
            case "reconstruct":
                images, eps, _ = packed.split((self._pixels, self._latent, self._latent), dim=1)
                return torch.cat(self._vae(images, eps), dim=1)


def pinned_array(rows: int, columns: int) -> Float32[ndarray, "rows columns"]:
    """Return an array of zeros, where there is a GPU in page-locked memory, which it reads and writes by itself."""
    return torch.zeros((rows, columns), pin_memory=torch.cuda.is_available()).numpy()
