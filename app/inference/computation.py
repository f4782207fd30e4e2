"""What one request computes on one model: operations in turn, and how long they took."""

from dataclasses import dataclass, field

from jaxtyping import Shaped
from numpy import ndarray

from app.inference.adapter import Adapter
from app.inference.batcher import Batcher
from app.inference.jobs import Arrays, Timings
from app.inference.vae import Operation


@dataclass(slots=True)
class Computation:
    """A model's adapter for the length of a request, behind its framework's batcher."""

    adapter: Adapter
    batcher: Batcher
    timings: Timings = field(default_factory=Timings)

    async def run(self, operation: Operation, *inputs: Shaped[ndarray, "batch ..."]) -> Arrays:
        """Return the operation's outputs for the inputs; errors are those of `Batcher.run`."""
        return await self.batcher.run(self.adapter, operation, inputs, self.timings)
