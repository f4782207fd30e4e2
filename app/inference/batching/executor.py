"""The threads' side of a batcher: computes batches and passes on their results. Admits and counts no jobs."""

import logging
import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

import numpy as np

from app.errors import FrameworkFaultError, InvalidValueError, RetryLaterError
from app.inference.adapters.base import Adapter, AdapterError, probe
from app.inference.batching.job import Job, JobSlice, Result, concatenate_inputs, split_outputs
from app.inference.batching.observer import Observer
from app.inference.batching.scheduler import BatchScheduler
from app.inference.batching.worker import Worker, Workers
from app.observability.timings import BatchTimes

logger = logging.getLogger(__name__)

Deliver = Callable[[Adapter, list[Result], FrameworkFaultError | None], None]
"""Takes the results of a batch, and why its adapter failed, if it did; called by the thread that computed it."""


class BatchExecutor:
    """A framework's threads, each of which computes one batch after another."""

    def __init__(self, framework: str, *, concurrency: int, observer: Observer, deliver: Deliver) -> None:
        """Start the threads, which call `deliver` with each batch's results."""
        self._framework = framework
        self._concurrency = concurrency
        self._observer = observer
        self._deliver = deliver
        self._names: WeakKeyDictionary[Adapter, str] = WeakKeyDictionary()
        self.seconds_per_row = 0.0
        """A moving average over about ten batches; written by the threads."""

        self._workers = self._start_workers()
        self.inbox = self._workers.inbox
        """Takes the jobs that arrived together."""

    @property
    def longest_batch(self) -> tuple[Adapter, float] | None:
        """The adapter of the oldest current batch, and the seconds that it has taken so far; None if there is none."""
        return self._workers.longest_batch

    def add_model(self, adapter: Adapter, name: str) -> None:
        """Name an adapter's model in error messages; by default it has the framework's name."""
        self._names[adapter] = name

    def restart(self, jobs: list[Job]) -> None:
        """Leave the threads to the calls that they hang in, and compute the jobs in new ones."""
        self._workers.dismiss()
        self._workers = self._start_workers()
        self.inbox = self._workers.inbox
        self.inbox.put(jobs)

    def close(self) -> None:
        """End the threads after their current batches; queued jobs aren't computed."""
        self._workers.dismiss()

    def _start_workers(self) -> Workers:
        return Workers(self._run, count=self._concurrency, name=self._framework)

    def _run(self, worker: Worker) -> None:
        scheduler = BatchScheduler()
        while worker.drain_inbox(scheduler):
            # No variable keeps the jobs: the last one's model could not be unloaded.
            if scheduler:
                self._compute(worker, scheduler.next_batch())

    def _compute(self, worker: Worker, slices: list[JobSlice]) -> None:
        if not slices:
            return
        job = slices[0].job
        fault = None
        started = time.perf_counter()
        worker.current = (job.adapter, started)
        try:
            # A batch of several requests belongs to the first one's trace.
            job.adapter.continue_trace(job.timings.headers)
            with np.errstate(over="ignore", invalid="ignore"):  # split_outputs finds values that aren't finite
                results = split_outputs(slices, job.operation(job.adapter, *concatenate_inputs(slices)))
            if any(isinstance(result, InvalidValueError) for _, result in results):
                probe(job.adapter)
        except RetryLaterError as error:  # of a backend on another server, which computes other batches
            results = [(piece.job, error) for piece in slices]
        except AdapterError as error:
            fault = FrameworkFaultError(self._name_of(job.adapter), str(error))
            results = [(piece.job, fault) for piece in slices]
        except Exception as error:
            logger.exception("%s failed to compute a batch", self._name_of(job.adapter))
            fault = FrameworkFaultError(self._name_of(job.adapter), f"it raised {type(error).__name__}")
            results = [(piece.job, fault) for piece in slices]
        worker.current = None
        self._record(slices, started)
        self._deliver(job.adapter, results, fault)

    def _record(self, slices: list[JobSlice], started: float) -> None:
        """Add a batch that has just ended to the metrics, and to the timings of its requests."""
        rows = sum([piece.rows for piece in slices])
        batch = BatchTimes(self._framework, rows, started, time.perf_counter())
        seconds = batch.ended - started
        self.seconds_per_row += 0.1 * (seconds / rows - self.seconds_per_row)
        self._observer.observe_batch(rows, seconds)
        for piece in slices:
            queued = piece.job.queued if piece.start == 0 else None
            piece.job.timings.add(batch, queued=queued, rows=piece.job.rows)

    def _name_of(self, adapter: Adapter) -> str:
        return self._names.get(adapter, self._framework)
