"""Timings of a request: the batches that computed its jobs, the sums of their stages, and its total."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

MAX_JOBS: Final = 64
"""Most batches of a request that are kept one by one: the importance-weighted bound can take thousands."""


@dataclass(slots=True, eq=False)
class BatchTimes:
    """One call of a framework's model. Times are of `time.perf_counter`."""

    framework: str
    rows: int
    started: float
    ended: float
    span_context: object = None
    """Set by the tracer with the first of its requests that is traced."""


class JobTimes(NamedTuple):
    """A job, or a slice of it, in a batch."""

    queued: float | None
    """None for all slices of a job but the first."""

    batch: BatchTimes


@dataclass(slots=True)
class Timings:
    """Seconds that a request was queued and computed, summed over its jobs, and its total duration."""

    arrived: float = 0.0
    """When the request's headers were complete, by `time.perf_counter`."""

    queue_s: float = 0.0
    model_s: float = 0.0
    total_s: float = 0.0
    """Set once its response is rendered."""

    rows: int = 0
    """Rows of its first job: the images or latents of the request."""

    jobs: list[JobTimes] = field(default_factory=list)

    headers: Sequence[tuple[bytes, bytes]] = ()
    """The request's headers, by which another server that computes for it continues its trace."""

    @property
    def server_timing(self) -> bytes:
        """The value of `Server-Timing`: the stages, in milliseconds."""
        return b"queue;dur=%.3f, model;dur=%.3f, total;dur=%.3f" % (
            self.queue_s * 1e3,
            self.model_s * 1e3,
            self.total_s * 1e3,
        )

    def add(self, batch: BatchTimes, *, queued: float | None, rows: int) -> None:
        """Add a batch that computed a slice of a job of so many rows; called by the framework's thread."""
        self.model_s += batch.ended - batch.started
        if queued is not None:
            self.queue_s += batch.started - queued
        self.rows = self.rows or rows
        if len(self.jobs) < MAX_JOBS:
            self.jobs.append(JobTimes(queued, batch))
