"""A model during one request: runs operations on its framework's batcher, and records their timings."""

from jaxtyping import Shaped
from numpy import ndarray

from app.inference.adapters.base import Adapter
from app.inference.batching.batcher import Batcher
from app.inference.operations import NamedArrays, Operation
from app.inference.vae import BatchFunction
from app.observability.timings import Timings


class ModelSession:
    """A model's adapter, behind its framework's batcher."""

    def __init__(self, adapter: Adapter, batcher: Batcher) -> None:
        self.adapter = adapter
        self.timings = Timings()
        self._batcher = batcher

    async def run(self, function: BatchFunction, *inputs: Shaped[ndarray, "batch ..."]) -> tuple[ndarray, ...]:
        """Return the function's outputs for the inputs; errors are those of `Batcher.run`."""
        return await self._batcher.run(self.adapter, function, inputs, self.timings)

    async def run_operation(self, operation: Operation) -> NamedArrays:
        """Return the operation's arrays by name."""
        outputs = await self.run(operation.function, *operation.inputs)
        return dict(zip(operation.names, outputs, strict=True), **operation.known)
