"""A test bench for the batcher: a batcher with its collaborators, and operations that wait at a gate."""

import asyncio
import threading

import numpy as np

from app.inference.adapters.base import Adapter
from app.inference.batching.batcher import Batcher
from app.observability.timings import Timings


class Counts:
    """Observations that a batcher has reported."""

    def __init__(self):
        self.batches, self.rejected, self.queue = [], 0, 0

    def observe_batch(self, rows, model_s):
        """Keep the size of a batch."""
        self.batches.append(rows)

    def set_queue(self, images):
        """Keep the length of the queue."""
        self.queue = images

    def set_ready(self, *, is_ready):
        """Ignore it."""

    def set_compilations(self, count):
        """Keep nothing."""

    def count_rejected(self):
        """Count."""
        self.rejected += 1


class Gate:
    """An operation that doubles its input once the gate is open."""

    def __init__(self):
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, adapter, array):
        """Double."""
        self.begun.set()
        assert self.open.wait(20)
        return (array * 2,)


class StubAdapter(Adapter):
    """Computes nothing: the operations of these tests are functions."""


class Bench:
    """A batcher with all that it needs."""

    def __init__(self, **limits):
        self.adapter = StubAdapter()
        self.counts, self.faults, self.timings = Counts(), [], Timings()
        self.batcher = Batcher(
            "jax",
            **({"max_rows": 1000, "max_bytes": 2**20} | limits),
            observer=self.counts,
            on_fault=lambda _, fault: self.faults.append(fault),
        )

    async def run(self, operation, array, adapter=None):
        """Return the first of the operation's outputs."""
        (output,) = await self.batcher.run(adapter or self.adapter, operation, (array,), self.timings)
        return output

    def start(self, operation, array):
        """Begin to wait for the operation."""
        return asyncio.create_task(self.run(operation, array))


def rows(count, first=0):
    """Return so many rows, all different."""
    return np.arange(first, first + 3 * count, dtype=np.float32).reshape(count, 3)


def double(adapter, array):
    """Return twice the array."""
    return (array * 2,)


async def wait_for(event):
    """Wait for a thread's event without holding up the loop."""
    assert await asyncio.to_thread(event.wait, 20)
