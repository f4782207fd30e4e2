"""Joins what waits for one framework into batches, on one thread. Knows neither HTTP nor any framework.

Requests that come while the model runs share its next batch; nobody waits for a timer. What is larger than a batch is
cut into pieces, and between two pieces whatever is small has its turn, so that large work never holds up small work.

The two threads meet in two places only: jobs go to the framework's thread through a queue, and come back by
`call_soon_threadsafe`, a whole batch at once. All counts are the event loop's thread's, without locks.
"""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Protocol

import numpy as np

from app.exceptions import FrameworkFaultError, InvalidValueError, OverloadedError, ServiceError
from app.inference.adapter import Adapter, probe
from app.inference.jobs import Arrays, Job, Outcome, Part, Result, Timings, join, share_out
from app.inference.turns import Turns
from app.inference.vae import Operation

logger = logging.getLogger(__name__)


class Observer(Protocol):
    """Who is told what a batcher does."""

    def observe_batch(self, rows: int, model_s: float) -> None:
        """Take note of a batch; called by the framework's thread."""
        ...

    def set_queue(self, images: int) -> None:
        """Take note of how many rows wait or are being computed."""
        ...

    def set_compilations(self, count: int) -> None:
        """Take note of how often the framework has compiled since it was ready."""
        ...

    def count_shed(self) -> None:
        """Take note of a request that found the queue full."""
        ...


class Batcher:
    """The thread of one framework, and the bounded queue before it."""

    def __init__(
        self,
        framework: str,
        *,
        max_rows: int,
        max_bytes: int,
        observer: Observer,
        on_fault: Callable[[FrameworkFaultError], None],
    ) -> None:
        """Start the thread; `on_fault` is called by the event loop's thread when the framework has failed."""
        self._framework = framework
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._observer = observer
        self._on_fault = on_fault
        self._loop: asyncio.AbstractEventLoop | None = None
        self._jobs: set[Job] = set()
        self._rows = 0
        self._nbytes = 0
        self._closed: ServiceError | None = None
        self._outbox: list[Job] = []
        self._inbox: SimpleQueue[list[Job] | None] = SimpleQueue()
        # Written by the framework's thread, read by the other.
        self._busy_since: float | None = None
        self._seconds_per_row = 0.0
        # A daemon: a call that never returns must not keep the process from ending.
        threading.Thread(target=self._work, name=framework, daemon=True).start()

    @property
    def busy_s(self) -> float:
        """How long the present batch has taken so far, in seconds; 0 when there is none."""
        since = self._busy_since
        return 0.0 if since is None else time.perf_counter() - since

    @property
    def has_room(self) -> bool:
        """Whether the queue isn't full."""
        return self._rows < self._max_rows and self._nbytes < self._max_bytes

    def check_room(self) -> None:
        """Raise an `OverloadedError` if the queue is full, before anything is spent on a request."""
        if not self.has_room:
            raise self._overloaded()

    async def run(self, adapter: Adapter, operation: Operation, inputs: Arrays, timings: Timings) -> Arrays:
        """Return the operation's outputs for the inputs, row by row, and add to the timings.

        A wait that is cancelled frees its place, and what hasn't begun is never computed. Errors are those of `submit`,
        and those that it tells.
        """
        future: asyncio.Future[Arrays] = asyncio.get_running_loop().create_future()
        job = self.submit(adapter, operation, inputs, timings, partial(_settle, future))
        try:
            return await future
        except asyncio.CancelledError:
            self.drop(job)
            raise

    def submit(
        self,
        adapter: Adapter,
        operation: Operation,
        inputs: Arrays,
        timings: Timings,
        on_done: Callable[[Outcome], None],
    ) -> Job:
        """Queue an operation; the event loop's thread then tells `on_done`, which raises nothing, what came of it.

        That is its outputs; or a FrameworkUnavailableError: the framework failed, or is no longer served; or an
        InvalidValueError: the outputs for these inputs aren't finite.

        Raises:
            OverloadedError: The queue has no room.
            FrameworkUnavailableError: The framework is no longer served.
        """
        if self._closed is not None:
            raise self._closed
        job = Job(adapter, operation, inputs, on_done, timings)
        # What is larger than the whole queue may still come to an empty one.
        if self._jobs and (self._rows + job.rows > self._max_rows or self._nbytes + job.nbytes > self._max_bytes):
            raise self._overloaded()
        self._jobs.add(job)
        self._rows += job.rows
        self._nbytes += job.nbytes
        if not self._outbox:
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._hand_over)
        self._outbox.append(job)
        return job

    def drop(self, job: Job) -> None:
        """Free a job's place, for which nobody waits any more; what hasn't begun is never computed."""
        if not job.is_over:
            job.is_over = True
            self._jobs.remove(job)
            self._rows -= job.rows
            self._nbytes -= job.nbytes

    def close(self, error: ServiceError) -> None:
        """Take no more jobs, and answer all that wait with the error; called by the event loop's thread."""
        self._closed = error
        self._deliver([(job, error) for job in self._jobs], None)
        self._inbox.put(None)

    def _hand_over(self) -> None:
        """Wake the framework's thread once for all requests that the event loop found at once, not for each."""
        self._inbox.put(self._outbox)
        self._outbox = []

    def _overloaded(self) -> OverloadedError:
        self._observer.count_shed()
        seconds = max(1, math.ceil(self._rows * self._seconds_per_row))
        return OverloadedError(
            f"{self._framework} has {self._rows} images in its queue and takes no more: send this again in {seconds} s",
            retry_after_s=seconds,
        )

    def _deliver(self, results: list[Result], fault: FrameworkFaultError | None) -> None:
        for job, result in results:
            if not job.is_over:
                self.drop(job)
                job.on_done(result)
        self._observer.set_queue(self._rows)
        if fault is not None and self._closed is None:
            self._on_fault(fault)

    def _work(self) -> None:
        turns = Turns()
        while self._collect(turns):
            if parts := turns.take():
                self._compute(parts)

    def _collect(self, turns: Turns) -> bool:
        """Take what has come, waiting for it where there is nothing else to do; tell whether there is to be more."""
        try:
            jobs = self._inbox.get_nowait() if turns else self._inbox.get()
            while jobs is not None:
                for job in jobs:
                    turns.add(job)
                jobs = self._inbox.get_nowait()
        except Empty:
            return True
        return False

    def _compute(self, parts: list[Part]) -> None:
        job = parts[0].job
        fault = None
        started = self._busy_since = time.perf_counter()
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # what isn't finite is looked for below
                results = share_out(parts, job.operation(job.adapter, *join(parts)))
            if any(isinstance(result, InvalidValueError) for _, result in results):
                probe(job.adapter)
        except Exception as error:
            logger.exception("%s failed to compute a batch", self._framework)
            fault = FrameworkFaultError(self._framework, f"it raised {type(error).__name__}")
            results = [(part.job, fault) for part in parts]
        seconds = time.perf_counter() - started
        self._busy_since = None
        rows = sum(part.rows for part in parts)
        # A moving average over some ten batches.
        self._seconds_per_row += 0.1 * (seconds / rows - self._seconds_per_row)
        self._observer.observe_batch(rows, seconds)
        for part in parts:
            part.job.timings.model_s += seconds
            if part.start == 0:
                part.job.timings.queue_s += started - part.job.queued
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._deliver, results, fault)


def _settle(future: "asyncio.Future[Arrays]", outcome: Outcome) -> None:
    if future.done():
        return
    if isinstance(outcome, ServiceError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
