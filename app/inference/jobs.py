"""The work of a request on one model, and how several are joined into a batch and its outputs shared out again."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from app.exceptions import InvalidValueError, ServiceError
from app.inference.adapter import Adapter
from app.inference.vae import Operation

Arrays = tuple[ndarray, ...]

Outcome = Arrays | ServiceError


@dataclass(slots=True)
class Timings:
    """How long a request waited and computed, summed over its jobs, and how long it took in all, in seconds."""

    queue_s: float = 0.0
    model_s: float = 0.0
    total_s: float = 0.0
    """Set once its answer is written."""

    @property
    def codec_s(self) -> float:
        """What it took to read and write its bytes: all the rest."""
        return self.total_s - self.queue_s - self.model_s


@dataclass(slots=True, eq=False)
class Job:
    """An operation of an adapter on inputs, whose outputs somebody waits for: `on_done` is told what came of it."""

    adapter: Adapter
    operation: Operation
    inputs: Arrays
    on_done: Callable[[Outcome], None]
    timings: Timings
    is_over: bool = False
    """Whether somebody was told, or nobody waits any more. Set by the event loop's thread."""

    rows: int = field(init=False)
    nbytes: int = field(init=False)
    queued: float = field(default_factory=time.perf_counter)
    outputs: Arrays = ()
    """Set piece by piece where the job is larger than a batch."""

    def __post_init__(self) -> None:
        self.rows = len(self.inputs[0])
        self.nbytes = 0
        for array in self.inputs:
            self.nbytes += array.nbytes


class Part(NamedTuple):
    """The rows of a job that are computed in one batch."""

    job: Job
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """How many."""
        return self.stop - self.start


Result = tuple[Job, Outcome]


def join(parts: list[Part]) -> Arrays:
    """Return the inputs of a batch."""
    if len(parts) == 1:
        part = parts[0]
        return tuple(array[part.start : part.stop] for array in part.job.inputs)
    return tuple(np.concatenate(arrays) for arrays in zip(*(part.job.inputs for part in parts), strict=True))


def share_out(parts: list[Part], outputs: Arrays) -> list[Result]:
    """Give each job its rows of a batch's outputs; return those that now have all, or whose rows aren't finite."""
    all_finite = all(np.isfinite(array).all() for array in outputs)
    results: list[Result] = []
    offset = 0
    for part in parts:
        rows = slice(offset, offset + part.rows)
        offset += part.rows
        own = tuple(array[rows] for array in outputs)
        if not all_finite and not all(np.isfinite(array).all() for array in own):
            results.append((part.job, _not_finite()))
        elif part.rows == part.job.rows:
            results.append((part.job, own))
        else:
            _put(part, own)
            if part.stop == part.job.rows:
                results.append((part.job, part.job.outputs))
    return results


def _put(part: Part, outputs: Arrays) -> None:
    job = part.job
    if not job.outputs:
        job.outputs = tuple(np.empty((job.rows, *array.shape[1:]), array.dtype) for array in outputs)
    for whole, piece in zip(job.outputs, outputs, strict=True):
        whole[part.start : part.stop] = piece


def _not_finite() -> InvalidValueError:
    return InvalidValueError("the model's answer isn't finite, for the numbers sent are too large: send smaller ones")
