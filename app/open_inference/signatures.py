"""Input and output tensors of each task, as model metadata and as Triton's model configuration. Reads no request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from training.config import ModelConfig

TASKS: Final = ("reconstruct", "encode", "decode", "sample", "score", "vae")

VERSION: Final = "1"
"""The only version of every model: a retrained checkpoint keeps its signature, and its id is no number."""

_CONFIG_TYPES: Final[Mapping[str, str]] = {"FP32": "TYPE_FP32", "INT32": "TYPE_INT32"}


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One declared tensor."""

    name: str
    datatype: str
    """`FP32` or `INT32`."""

    shape: tuple[int, ...]
    """-1 stands for the batch, which is the first dimension."""

    @property
    def is_batched(self) -> bool:
        """True if the first dimension is the batch."""
        return self.shape[0] == -1

    def to_json(self) -> dict[str, Any]:
        """Return it as model metadata lists it."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}

    def to_config(self, *, has_batch: bool) -> dict[str, Any]:
        """Return it as the model configuration lists it: without the batch where the model batches."""
        dims = self.shape[1:] if has_batch else self.shape
        # Triton has no tensor of no dimensions: one number an item is a dimension of 1.
        return {"name": self.name, "data_type": _CONFIG_TYPES[self.datatype], "dims": list(dims) or [1]}


@dataclass(frozen=True, slots=True)
class Signature:
    """The tensors of one task."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    @property
    def is_batched(self) -> bool:
        """True if the inputs have a batch dimension."""
        return self.inputs[0].is_batched


@lru_cache(maxsize=64)
def make_signature(task: str, model: ModelConfig) -> Signature:
    """Return the signature of a task for an architecture."""
    return _SIGNATURES[task](model)


def describe_config(name: str, platform: str, signature: Signature, *, max_batch: int) -> dict[str, Any]:
    """Return Triton's model configuration."""
    has_batch = signature.is_batched
    return {
        "name": name,
        "platform": platform,
        "max_batch_size": max_batch if has_batch else 0,
        "input": [spec.to_config(has_batch=has_batch) for spec in signature.inputs],
        "output": [spec.to_config(has_batch=has_batch) for spec in signature.outputs],
    }


def _images(name: str, model: ModelConfig) -> TensorSpec:
    return TensorSpec(name, "FP32", (-1, *model.image_shape))


def _latents(name: str, model: ModelConfig) -> TensorSpec:
    return TensorSpec(name, "FP32", (-1, model.latent_dim))


def _figures(*names: str) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(name, "FP32", (-1,)) for name in names)


def _posterior(model: ModelConfig) -> tuple[TensorSpec, ...]:
    return _latents("mean", model), _latents("logvar", model)


_SIGNATURES: Final[Mapping[str, Callable[[ModelConfig], Signature]]] = {
    "reconstruct": lambda model: Signature(
        (_images("images", model),),
        (_images("probs", model), *_posterior(model), *_figures("elbo", "log_likelihood", "kl_divergence")),
    ),
    "encode": lambda model: Signature((_images("images", model),), (*_posterior(model), _latents("latents", model))),
    "decode": lambda model: Signature(
        (_latents("latents", model),), (_images("probs", model), _images("logits", model))
    ),
    "sample": lambda model: Signature(
        (TensorSpec("n", "INT32", (1,)),), (_images("probs", model), _latents("latents", model))
    ),
    "score": lambda model: Signature(
        (_images("images", model),), _figures("elbo", "log_likelihood", "kl_divergence", "iwae")
    ),
    "vae": lambda model: Signature(
        (_images("images", model), _latents("eps", model)), (_images("logits", model), *_posterior(model))
    ),
}
