"""Whose turn it is: which of the waiting jobs are computed next, together. Computes nothing and knows no thread."""

from collections import deque
from typing import Final

from app.inference.adapter import Adapter
from app.inference.jobs import Job, Part
from app.inference.vae import Operation

MAX_BATCH: Final = 256
"""Most rows computed at once: larger batches are hardly faster a row, and keep others waiting longer."""


class Turns:
    """Waiting jobs: the small take turns with the pieces of the large, the kinds of the small with each other."""

    def __init__(self) -> None:
        self._small: dict[tuple[Adapter, Operation], deque[Job]] = {}
        self._large: deque[tuple[Job, int]] = deque()
        self._was_small = False

    def __bool__(self) -> bool:
        """Tell whether a job waits."""
        return bool(self._small or self._large)

    def add(self, job: Job) -> None:
        """Let a job wait."""
        if job.rows > MAX_BATCH:
            self._large.append((job, 0))
        else:
            self._small.setdefault((job.adapter, job.operation), deque()).append(job)

    def take(self) -> list[Part]:
        """Return what is computed next, at most `MAX_BATCH` rows of one kind; nothing where nobody waits any more."""
        self._was_small = bool(self._small) and not (self._was_small and self._large)
        return self._take_small() if self._was_small else self._take_large()

    def _take_small(self) -> list[Part]:
        kind = next(iter(self._small))
        waiting = self._small.pop(kind)
        parts: list[Part] = []
        room = MAX_BATCH
        while waiting and waiting[0].rows <= room:
            job = waiting.popleft()
            if not job.is_over:
                parts.append(Part(job, 0, job.rows))
                room -= job.rows
        if waiting:
            self._small[kind] = waiting
        return parts

    def _take_large(self) -> list[Part]:
        job, start = self._large.popleft()
        if job.is_over:
            return []
        part = Part(job, start, min(start + MAX_BATCH, job.rows))
        if part.stop < job.rows:
            self._large.append((job, part.stop))
        return [part]
