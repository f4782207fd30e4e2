"""Whose turn it is: small jobs share batches, large ones are cut, and neither keeps the other waiting."""

import numpy as np
import pytest

from app.inference.jobs import Job, Timings
from app.inference.turns import MAX_BATCH, Turns


def make_job(rows, *, adapter="jax", operation="decode"):
    """Return a job of so many rows that somebody waits for."""
    return Job(adapter, operation, (np.zeros((rows, 2), np.float32),), lambda _: None, Timings())


def take_all(turns):
    """Return the batches until nothing waits: for each the jobs and rows of its parts."""
    batches = []
    while turns:
        batches.append([(part.job, part.start, part.stop) for part in turns.take()])
    return batches


def test_what_waits_shares_a_batch():
    """Small jobs of one kind are one batch, in the order of their coming."""
    turns, jobs = Turns(), [make_job(rows) for rows in (1, 3, 2)]
    for job in jobs:
        turns.add(job)

    assert take_all(turns) == [[(job, 0, job.rows) for job in jobs]]


def test_batch_is_no_larger_than_the_limit():
    """What doesn't fit waits for the next batch, and no small job is cut."""
    turns, jobs = Turns(), [make_job(MAX_BATCH // 2 + 1) for _ in range(3)]
    for job in jobs:
        turns.add(job)

    assert take_all(turns) == [[(job, 0, job.rows)] for job in jobs]


@pytest.mark.parametrize("other", [{"adapter": "new"}, {"operation": "encode"}])
def test_kinds_are_not_mixed_and_take_turns(other):
    """Jobs of another operation or of a replaced model are another batch; neither kind waits for all of the other."""
    turns = Turns()
    first, second = make_job(MAX_BATCH), make_job(MAX_BATCH)
    different = make_job(1, **other)
    for job in (first, second, different):
        turns.add(job)

    assert take_all(turns) == [[(first, 0, MAX_BATCH)], [(different, 0, 1)], [(second, 0, MAX_BATCH)]]


def test_large_jobs_are_cut_and_small_ones_go_between():
    """Between two pieces of large jobs, which take turns themselves, whatever is small is computed."""
    turns = Turns()
    one, other = make_job(2 * MAX_BATCH + 1), make_job(MAX_BATCH + 5)
    small = [make_job(1), make_job(1)]
    turns.add(one)
    turns.add(other)

    first = turns.take()
    turns.add(small[0])
    second = turns.take()
    turns.add(small[1])

    assert [(part.job, part.start, part.stop) for part in first] == [(one, 0, MAX_BATCH)]
    assert [part.job for part in second] == [small[0]]
    assert take_all(turns) == [
        [(other, 0, MAX_BATCH)],
        [(small[1], 0, 1)],
        [(one, MAX_BATCH, 2 * MAX_BATCH)],
        [(other, MAX_BATCH, MAX_BATCH + 5)],
        [(one, 2 * MAX_BATCH, 2 * MAX_BATCH + 1)],
    ]


@pytest.mark.parametrize("rows", [1, MAX_BATCH + 1])
def test_nothing_is_taken_for_whom_nobody_waits(rows):
    """A job whose wait has ended is left out, before it begins and between its pieces."""
    turns, job = Turns(), make_job(rows)
    turns.add(job)

    job.is_over = True

    assert take_all(turns) == [[]]
