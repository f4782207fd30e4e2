"""Status of the models in each of several workers, in memory that they share. It decides nothing: see `readiness`."""

import copy
import multiprocessing
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, Self

from app.inference.models.state import Status


class WorkerStatus(IntEnum):
    """Status of a framework's models in a worker."""

    LOADING = 0
    READY = 1
    FAILED = 2
    ABSENT = 3
    """The worker has ended; its replacement listens once its models are loaded, so no client can reach it."""


def summarize(statuses: set[Status]) -> WorkerStatus:
    """Return the status of a framework whose models have these statuses."""
    if Status.LOADING in statuses:
        return WorkerStatus.LOADING
    return WorkerStatus.READY if statuses <= {Status.READY, Status.NOT_INSTALLED} else WorkerStatus.FAILED


class WorkerBoard:
    """The status of each framework in each worker, as one of them sees it; a single process is the only worker."""

    def __init__(self, frameworks: Sequence[str], *, workers: int = 1) -> None:
        self.workers = workers
        self.worker = 0
        """Number of this process among the workers, from 0."""

        self._frameworks = list(frameworks)
        count = workers * len(frameworks)
        # Bytes, which no process can see half-written; hence no lock, which a killed worker could keep. One process
        # shares nothing: shared memory needs a folder that can be written to.
        shared = multiprocessing.get_context("spawn").RawArray
        self._statuses: Any = bytearray(count) if workers == 1 else shared("B", count)

    def for_worker(self, worker: int) -> Self:
        """Return the same board for another worker."""
        board = copy.copy(self)
        board.worker = worker
        return board

    def set_status(self, framework: str, status: WorkerStatus) -> None:
        """Set this worker's status of a framework; a replacement stays absent while its models load."""
        index = self._index(self.worker, framework)
        if (self._statuses[index], status) != (WorkerStatus.ABSENT, WorkerStatus.LOADING):
            self._statuses[index] = status

    def set_absent(self) -> None:
        """Note that this worker has ended."""
        for framework in self._frameworks:
            self.set_status(framework, WorkerStatus.ABSENT)

    def find_others(self, status: WorkerStatus, framework: str | None = None) -> list[int]:
        """Return the other workers in which a framework, or any of them, has the status."""
        frameworks = self._frameworks if framework is None else [framework]
        return [
            worker
            for worker in range(self.workers)
            if worker != self.worker and any(self._statuses[self._index(worker, name)] == status for name in frameworks)
        ]

    def _index(self, worker: int, framework: str) -> int:
        return worker * len(self._frameworks) + self._frameworks.index(framework)
