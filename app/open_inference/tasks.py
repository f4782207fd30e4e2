"""Operations of the tasks: the plain routes' ones, with no output computed that isn't requested."""

from collections.abc import Callable, Mapping
from typing import Final

from app.inference import operations
from app.inference.operations import Operation
from app.open_inference.messages.requests import InferRequest
from training.config import ModelConfig

SEEDED: Final = frozenset({"reconstruct", "encode", "sample", "score"})
"""Tasks that draw noise, whose responses name its seed."""


def prepare_operation(task: str, model: ModelConfig, request: InferRequest, *, seed: int) -> Operation | None:
    """Return the operation of a task; None for `score`, which takes several."""
    prepare = _OPERATIONS.get(task)
    return prepare(model, request, seed) if prepare else None


def _encode(model: ModelConfig, request: InferRequest, seed: int) -> Operation:
    if "latents" in request.output_names:
        return operations.encode_and_sample(model, request.inputs["images"], seed=seed)
    return operations.encode(model, request.inputs["images"])


_OPERATIONS: Final[Mapping[str, Callable[[ModelConfig, InferRequest, int], Operation]]] = {
    "reconstruct": lambda model, request, seed: operations.reconstruct(
        model, request.inputs["images"], seed=seed, outputs=request.output_names
    ),
    "encode": _encode,
    "decode": lambda model, request, _: operations.decode(
        model, request.inputs["latents"], outputs=request.output_names
    ),
    "sample": lambda model, request, seed: operations.sample(model, n=int(request.inputs["n"][0]), seed=seed),
    "vae": lambda model, request, _: operations.apply(model, request.inputs["images"], request.inputs["eps"]),
}
