"""Replays a training step as one CUDA graph. Has no counterpart in JAX and TensorFlow, which compile an epoch."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int32
from torch import Tensor

Step = Callable[[Int32[Tensor, "batch"]], tuple[Float[Tensor, ""], Float[Tensor, ""]]]
"""From indices of images to the batch's mean ELBO and KL."""


class GraphedStep:
    """A step that runs as it is the first time, and as a CUDA graph from then on.

    Started from Python one by one, the kernels of a step take six times as long. The first call must run as it is:
    whatever is allocated once, such as Adam's moments, would otherwise be allocated in every replay.
    """

    def __init__(self, step: Step, rng: torch.Generator) -> None:
        """Wrap a step that draws from the generator and reads everything else that changes from tensors."""
        self._step = step
        self._graph: torch.cuda.CUDAGraph | None = None
        self._rng = rng
        self._indices: Tensor | None = None
        self._outputs: tuple[Tensor, Tensor] | None = None

    def __call__(self, indices: Int32[Tensor, "batch"]) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        """Run the step on these images."""
        if self._indices is None:
            self._indices = indices.clone()
            return self._step(self._indices)
        self._indices.copy_(indices)
        if self._graph is None or self._outputs is None:
            self._graph = torch.cuda.CUDAGraph()
            self._graph.register_generator_state(self._rng)
            with torch.cuda.graph(self._graph):  # records, runs nothing
                self._outputs = self._step(self._indices)
        self._graph.replay()
        mean_elbo, mean_kl = self._outputs
        return mean_elbo.clone(), mean_kl.clone()
