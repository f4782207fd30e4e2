"""Admits the jobs of one framework's models, and delivers their results. Knows neither HTTP nor any framework.

Jobs that arrive while the model runs share its next batch; no job waits for a timer. A job larger than a batch is
split, and small jobs run between its slices, so that large jobs don't delay small ones.

Jobs reach the framework's thread through a queue, and results return by `call_soon_threadsafe`, a batch at a time. The
framework's thread also adds to the timings of its jobs. All counts belong to the event loop's thread and need no locks.
"""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from weakref import WeakKeyDictionary

from app.errors import FrameworkFaultError, OverloadedError, ServiceError
from app.inference.adapters.base import Adapter, Tensors
from app.inference.batching.executor import BatchExecutor
from app.inference.batching.job import Job, JobResult, Result
from app.inference.batching.observer import Observer
from app.inference.vae import BatchFunction
from app.observability.timings import Timings
from training.counts import count_of


class Batcher:
    """A framework's thread and its bounded queue."""

    def __init__(  # noqa: PLR0913 -- all but the first by keyword
        self,
        framework: str,
        *,
        max_rows: int,
        max_bytes: int,
        observer: Observer,
        on_fault: Callable[[Adapter, FrameworkFaultError], None],
        concurrency: int = 1,
    ) -> None:
        """Start the threads. When an adapter fails, the event loop's thread calls `on_fault`.

        Args:
            framework: Canonical name.
            max_rows: Most images and latents that wait.
            max_bytes: Most bytes that wait.
            observer: Counts batches and the queue.
            on_fault: Receives the adapter and the fault.
            concurrency: Threads, and so batches at once; more than one where a batch waits for another server.
        """
        self._framework = framework
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._observer = observer
        self._on_fault = on_fault
        self._jobs: set[Job] = set()
        self._rows = 0
        self._nbytes = 0
        self.is_full = False
        """True if the queue takes no more jobs."""

        self._closed: ServiceError | None = None
        self._failed: WeakKeyDictionary[Adapter, ServiceError] = WeakKeyDictionary()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outbox: list[Job] = []
        self._executor = BatchExecutor(
            framework, concurrency=concurrency, observer=observer, deliver=self._deliver_to_loop
        )

    @property
    def longest_batch(self) -> tuple[Adapter, float] | None:
        """The adapter of the oldest current batch, and the seconds that it has taken so far; None if there is none."""
        return self._executor.longest_batch

    def check_capacity(self) -> None:
        """Raise an `OverloadedError` if the queue is full, before any work is done for a request."""
        if self.is_full:
            raise self._overloaded()

    async def run(self, adapter: Adapter, operation: BatchFunction, inputs: Tensors, timings: Timings) -> Tensors:
        """Return the operation's outputs for the inputs, row by row, and add to the timings.

        Cancelling the call frees the job's place in the queue; slices that haven't started are never computed. Raises
        the errors of `submit` and those that it passes to `on_done`.
        """
        future: asyncio.Future[Tensors] = asyncio.get_running_loop().create_future()
        job = self.submit(adapter, operation, inputs, timings, partial(_settle, future))
        try:
            return await future
        except asyncio.CancelledError:
            self.cancel(job)
            raise
        finally:
            del future, job  # which hold an error whose traceback holds this frame

    def submit(
        self,
        adapter: Adapter,
        operation: BatchFunction,
        inputs: Tensors,
        timings: Timings,
        on_done: Callable[[JobResult], None],
    ) -> Job:
        """Queue an operation. The event loop's thread later calls `on_done`, which must not raise, with its result.

        The result is the outputs; or a FrameworkUnavailableError if the framework failed or is unavailable; or an
        InvalidValueError if the outputs for these inputs aren't finite.

        Raises:
            OverloadedError: The queue is full.
            FrameworkUnavailableError: The batcher is closed, or the adapter has failed.
        """
        if self._closed is not None:
            raise self._closed
        if self._failed and (error := self._failed.get(adapter)) is not None:
            raise error
        job = Job(adapter, operation, inputs, on_done, timings)
        # An empty queue accepts even a job that is larger than its bounds.
        if self._jobs and (self._rows + job.rows > self._max_rows or self._nbytes + job.nbytes > self._max_bytes):
            raise self._overloaded()
        self._jobs.add(job)
        self._count(job.rows, job.nbytes)
        if not self._outbox:
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._flush)
        self._outbox.append(job)
        return job

    def cancel(self, job: Job) -> None:
        """Free the place of a job whose result is no longer needed; slices that haven't started are never computed."""
        if not job.done:
            job.done = True
            self._jobs.remove(job)
            self._count(-job.rows, -job.nbytes)

    def add_model(self, adapter: Adapter, name: str) -> None:
        """Name an adapter's model in error messages; by default it has the framework's name."""
        self._executor.add_model(adapter, name)

    def has_jobs(self, adapter: Adapter) -> bool:
        """Return whether a job of the adapter is queued or being computed."""
        return any(job.adapter is adapter for job in self._jobs)

    def fail(self, adapter: Adapter, error: ServiceError) -> None:
        """Reject further jobs of an adapter, and fail its queued ones with the error; other adapters' jobs stay."""
        self._failed[adapter] = error
        self._settle_jobs([(job, error) for job in self._jobs if job.adapter is adapter])

    def restart(self) -> None:
        """Leave the threads to the calls that they hang in, and compute all other jobs in new ones."""
        self._executor.restart(sorted(self._jobs.difference(self._outbox), key=lambda job: job.queued))

    def close(self, error: ServiceError) -> None:
        """Reject further jobs, and fail all queued ones with the error; called by the event loop's thread."""
        self._closed = error
        self._settle_jobs([(job, error) for job in self._jobs])
        self._executor.close()

    def _count(self, rows: int, nbytes: int) -> None:
        self._rows += rows
        self._nbytes += nbytes
        self.is_full = self._rows >= self._max_rows or self._nbytes >= self._max_bytes

    def _flush(self) -> None:
        """Pass on all jobs of one iteration of the event loop together, so that the framework's thread wakes once."""
        self._executor.inbox.put(self._outbox)
        self._outbox = []

    def _overloaded(self) -> OverloadedError:
        self._observer.count_rejected()
        seconds = max(1, math.ceil(self._rows * self._executor.seconds_per_row))
        return OverloadedError(
            f"{self._framework} has {count_of(self._rows, 'image')} in its queue and takes no more: "
            f"send this again in {seconds} s",
            retry_after_s=seconds,
        )

    def _deliver_to_loop(self, adapter: Adapter, results: list[Result], fault: FrameworkFaultError | None) -> None:
        """Hand a batch's results to the event loop's thread; called by the framework's."""
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop is closed: nobody waits for the results
            self._loop.call_soon_threadsafe(self._deliver, adapter, results, fault)

    def _deliver(self, adapter: Adapter, results: list[Result], fault: FrameworkFaultError | None) -> None:
        self._settle_jobs(results)
        if fault is not None and self._closed is None:
            self._on_fault(adapter, fault)

    def _settle_jobs(self, results: list[Result]) -> None:
        for job, result in results:
            if not job.done:
                self.cancel(job)
                job.on_done(result)
        self._observer.set_queue(self._rows)


def _settle(future: "asyncio.Future[Tensors]", result: JobResult) -> None:
    if future.done():
        return
    if isinstance(result, ServiceError):
        future.set_exception(result)
    else:
        future.set_result(result)
