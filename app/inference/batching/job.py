"""Jobs: one batch function on one request's inputs; joining jobs into a batch, and splitting its outputs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from app.errors import InvalidValueError, ServiceError
from app.inference.adapters.base import Adapter, Tensors
from app.inference.vae import BatchFunction
from app.observability.timings import Timings

JobResult = Tensors | ServiceError


@dataclass(slots=True, eq=False)
class Job:
    """A batch function, its adapter and inputs; `on_done` is called with the result."""

    adapter: Adapter
    operation: BatchFunction
    inputs: Tensors
    on_done: Callable[[JobResult], None]
    timings: Timings
    done: bool = False
    """True once the result was delivered or the job cancelled. Set by the event loop's thread."""

    rows: int = field(init=False)
    nbytes: int = field(init=False)
    queued: float = field(default_factory=time.perf_counter)
    outputs: Tensors = ()
    """Filled slice by slice if the job is larger than a batch."""

    def __post_init__(self) -> None:
        self.rows = len(self.inputs[0])
        self.nbytes = 0
        for array in self.inputs:
            self.nbytes += array.nbytes


class JobSlice(NamedTuple):
    """Rows of a job that are computed in one batch."""

    job: Job
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.stop - self.start


Result = tuple[Job, JobResult]


def concatenate_inputs(slices: list[JobSlice]) -> Tensors:
    """Return the inputs of a batch, joined along the first axis."""
    if len(slices) == 1:
        piece = slices[0]
        return tuple(array[piece.start : piece.stop] for array in piece.job.inputs)
    return tuple(np.concatenate(arrays) for arrays in zip(*(piece.job.inputs for piece in slices), strict=True))


def split_outputs(slices: list[JobSlice], outputs: Tensors) -> list[Result]:
    """Split a batch's outputs by job. Return the jobs that are complete, or failed with non-finite outputs."""
    all_finite = all(np.isfinite(array).all() for array in outputs)
    results: list[Result] = []
    offset = 0
    for piece in slices:
        job, start, stop = piece
        begin, offset = offset, offset + stop - start
        own = tuple([array[begin:offset] for array in outputs])
        if not all_finite and not all(np.isfinite(array).all() for array in own):
            results.append((job, _not_finite()))
        elif stop - start == job.rows:
            results.append((job, own))
        else:
            _store(piece, own)
            if stop == job.rows:
                results.append((job, job.outputs))
    return results


def _store(piece: JobSlice, outputs: Tensors) -> None:
    job = piece.job
    if not job.outputs:
        job.outputs = tuple(np.empty((job.rows, *array.shape[1:]), array.dtype) for array in outputs)
    for target, rows in zip(job.outputs, outputs, strict=True):
        target[piece.start : piece.stop] = rows


def _not_finite() -> InvalidValueError:
    return InvalidValueError(
        "the model's output isn't finite, because the numbers sent are too large: send smaller ones"
    )
