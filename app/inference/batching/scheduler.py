"""Batch scheduler: chooses which queued jobs form the next batch. Computes nothing; not thread-safe."""

from collections import deque

from app.inference.adapters.base import Adapter
from app.inference.batching.job import Job, JobSlice
from app.inference.vae import BatchFunction


class BatchScheduler:
    """Queued jobs. Small jobs alternate with slices of large ones; kinds of small jobs alternate with each other."""

    def __init__(self) -> None:
        self._small: dict[tuple[Adapter, BatchFunction], deque[Job]] = {}
        self._large: deque[tuple[Job, int]] = deque()
        self._was_small = False

    def __bool__(self) -> bool:
        """Return whether a job is queued."""
        return bool(self._small or self._large)

    def add(self, job: Job) -> None:
        """Queue a job."""
        if job.rows > job.adapter.max_batch:
            self._large.append((job, 0))
        else:
            self._small.setdefault((job.adapter, job.operation), deque()).append(job)

    def next_batch(self) -> list[JobSlice]:
        """Return the slices of the next batch, `Adapter.max_batch` rows at most; none if all were cancelled."""
        self._was_small = bool(self._small) and not (self._was_small and self._large)
        return self._next_small_batch() if self._was_small else self._next_large_batch()

    def _next_small_batch(self) -> list[JobSlice]:
        kind = next(iter(self._small))
        waiting = self._small.pop(kind)
        slices: list[JobSlice] = []
        capacity = kind[0].max_batch
        while waiting and waiting[0].rows <= capacity:
            job = waiting.popleft()
            if not job.done:
                slices.append(JobSlice(job, 0, job.rows))
                capacity -= job.rows
        if waiting:
            self._small[kind] = waiting
        return slices

    def _next_large_batch(self) -> list[JobSlice]:
        job, start = self._large.popleft()
        if job.done:
            return []
        piece = JobSlice(job, start, min(start + job.adapter.max_batch, job.rows))
        if piece.stop < job.rows:
            self._large.append((job, piece.stop))
        return [piece]
