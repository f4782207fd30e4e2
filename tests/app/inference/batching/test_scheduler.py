"""The batch scheduler: small jobs share batches, large ones are cut, and neither keeps the other waiting."""

import numpy as np
import pytest

from app.inference.adapters.base import MAX_BATCH
from app.inference.batching.job import Job
from app.inference.batching.scheduler import BatchScheduler
from app.observability.timings import Timings


class Limited:
    """All that the scheduler reads of an adapter."""

    def __init__(self, max_batch=MAX_BATCH):
        self.max_batch = max_batch


OLD, NEW = Limited(), Limited()


def make_job(rows, *, adapter=OLD, operation="decode"):
    """Return a job of so many rows that somebody waits for."""
    return Job(adapter, operation, (np.zeros((rows, 2), np.float32),), lambda _: None, Timings())


def take_all(turns):
    """Return the batches until nothing waits: for each the jobs and rows of its parts."""
    batches = []
    while turns:
        batches.append([(part.job, part.start, part.stop) for part in turns.next_batch()])
    return batches


def test_what_waits_shares_a_batch():
    """Small jobs of one kind are one batch, in the order of their coming."""
    turns, jobs = BatchScheduler(), [make_job(rows) for rows in (1, 3, 2)]
    for job in jobs:
        turns.add(job)

    assert take_all(turns) == [[(job, 0, job.rows) for job in jobs]]


def test_batch_is_no_larger_than_the_limit():
    """A job that doesn't fit waits for the next batch, and no small job is cut."""
    turns, jobs = BatchScheduler(), [make_job(MAX_BATCH // 2 + 1) for _ in range(3)]
    for job in jobs:
        turns.add(job)

    assert take_all(turns) == [[(job, 0, job.rows)] for job in jobs]


@pytest.mark.parametrize("other", [{"adapter": NEW}, {"operation": "encode"}])
def test_kinds_are_not_mixed_and_take_turns(other):
    """Jobs of another operation or of a replaced model are another batch; neither kind waits for all of the other."""
    turns = BatchScheduler()
    first, second = make_job(MAX_BATCH), make_job(MAX_BATCH)
    different = make_job(1, **other)
    for job in (first, second, different):
        turns.add(job)

    assert take_all(turns) == [[(first, 0, MAX_BATCH)], [(different, 0, 1)], [(second, 0, MAX_BATCH)]]


def test_batches_are_as_large_as_the_adapter_allows():
    """An adapter on a GPU gets larger batches, and smaller ones once its memory has proved too small."""
    adapter, turns = Limited(4 * MAX_BATCH), BatchScheduler()
    jobs = [make_job(2 * MAX_BATCH, adapter=adapter) for _ in range(2)]
    for job in jobs:
        turns.add(job)

    joined = turns.next_batch()
    adapter.max_batch = MAX_BATCH
    turns.add(jobs[0])
    piece = turns.next_batch()

    assert [part.job for part in joined] == jobs
    assert [(part.start, part.stop) for part in piece] == [(0, MAX_BATCH)]


def test_large_jobs_are_cut_and_small_ones_go_between():
    """Between two pieces of large jobs, which take turns themselves, whatever is small is computed."""
    turns = BatchScheduler()
    job, other_job = make_job(2 * MAX_BATCH + 1), make_job(MAX_BATCH + 5)
    small = [make_job(1), make_job(1)]
    turns.add(job)
    turns.add(other_job)

    first = turns.next_batch()
    turns.add(small[0])
    second = turns.next_batch()
    turns.add(small[1])

    assert [(part.job, part.start, part.stop) for part in first] == [(job, 0, MAX_BATCH)]
    assert [part.job for part in second] == [small[0]]
    assert take_all(turns) == [
        [(other_job, 0, MAX_BATCH)],
        [(small[1], 0, 1)],
        [(job, MAX_BATCH, 2 * MAX_BATCH)],
        [(other_job, MAX_BATCH, MAX_BATCH + 5)],
        [(job, 2 * MAX_BATCH, 2 * MAX_BATCH + 1)],
    ]


@pytest.mark.parametrize("rows", [1, MAX_BATCH + 1])
def test_nothing_is_taken_for_whom_nobody_waits(rows):
    """A job whose wait has ended is left out, before it begins and between its pieces."""
    turns, job = BatchScheduler(), make_job(rows)
    turns.add(job)

    job.done = True

    assert take_all(turns) == [[]]
