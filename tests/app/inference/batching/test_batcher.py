"""The batcher: who is answered what, when the queue is full, a wait is cancelled, or the framework fails."""

import asyncio

import numpy as np
import pytest

from app.errors import FrameworkFaultError, FrameworkUnavailableError, InvalidValueError, OverloadedError
from app.inference.adapters.base import MAX_BATCH
from tests.support.app import numpy_adapter_of
from tests.support.batcher_bench import Bench, Gate, double, rows, wait_for


@pytest.fixture
def bench():
    """A batcher that is closed at the end."""
    bench = Bench()
    yield bench
    bench.batcher.close(FrameworkUnavailableError("closed", retry_after_s=1))


def test_what_comes_while_the_model_runs_shares_its_next_batch(bench):
    """Each of several waiting requests is answered with its own rows of one batch."""
    gate = Gate()

    async def ask():
        first = bench.start(gate, rows(1))
        await wait_for(gate.begun)
        others = [bench.start(gate, rows(count, first=100 * count)) for count in (1, 2, 3)]
        await asyncio.sleep(0.05)
        gate.open.set()
        return await asyncio.gather(first, *others)

    answers = asyncio.run(ask())

    assert bench.counts.batches == [1, 6]
    np.testing.assert_array_equal(answers[0], 2 * rows(1))
    for count, answer in zip((1, 2, 3), answers[1:], strict=True):
        np.testing.assert_array_equal(answer, 2 * rows(count, first=100 * count))


def test_large_request_is_answered_whole(bench):
    """A job that was cut into slices returns whole, in order."""
    count = 3 * MAX_BATCH + 7

    answer = asyncio.run(bench.run(double, rows(count)))

    np.testing.assert_array_equal(answer, 2 * rows(count))
    assert bench.counts.batches == [MAX_BATCH] * 3 + [7]


def test_full_queue_refuses_at_once_and_says_when_to_come_back():
    """Beyond its bound the queue takes nothing, and its room comes back once it has been emptied."""
    bench, gate = Bench(max_rows=4), Gate()

    async def ask():
        waiting = [bench.start(gate, rows(2)), bench.start(gate, rows(2))]
        await wait_for(gate.begun)
        with pytest.raises(OverloadedError, match="4 images in its queue") as caught:
            await bench.run(gate, rows(1))
        with pytest.raises(OverloadedError):
            bench.batcher.check_capacity()
        gate.open.set()
        await asyncio.gather(*waiting)
        bench.batcher.check_capacity()
        await bench.run(double, rows(4))
        return caught.value

    error = asyncio.run(ask())

    assert error.retry_after_s >= 1
    assert bench.counts.rejected == 2
    assert bench.counts.queue == 0


def test_bytes_are_bounded_too():
    """A queue of few rows is full when they are large."""
    bench, gate = Bench(max_bytes=30), Gate()

    async def ask():
        waiting = bench.start(gate, rows(2))
        await wait_for(gate.begun)
        with pytest.raises(OverloadedError):
            await bench.run(gate, rows(1))
        gate.open.set()
        await waiting

    asyncio.run(ask())


def test_what_is_larger_than_the_queue_comes_to_an_empty_one():
    """The bound keeps others waiting less; it forbids no request that the limits allow."""
    bench = Bench(max_rows=2)

    answer = asyncio.run(bench.run(double, rows(5)))

    assert len(answer) == 5


def test_cancelled_wait_frees_its_place_and_is_never_computed(bench):
    """A request whose client has gone is dropped from the queue."""
    gate, computed = Gate(), []

    def note(adapter, array):
        computed.append(len(array))
        return (array,)

    async def ask():
        first = bench.start(gate, rows(1))
        await wait_for(gate.begun)
        gone = bench.start(note, rows(5))
        await asyncio.sleep(0.01)
        gone.cancel()
        await asyncio.sleep(0)
        gate.open.set()
        await first
        await bench.run(note, rows(2))

    asyncio.run(ask())

    assert computed == [2]
    assert bench.counts.queue == 0


def test_framework_that_raises_is_reported_and_names_only_the_kind(bench, caplog):
    """Clients get the type of an exception alone, the registry is notified, and the log has all of it."""

    def fail(adapter, array):
        raise ValueError("secret")

    with pytest.raises(FrameworkFaultError, match="ValueError") as caught:
        asyncio.run(bench.run(fail, rows(1)))

    assert "secret" not in str(caught.value)
    assert bench.faults == [caught.value]
    assert "ValueError: secret" in caplog.text
    assert "During handling" not in caplog.text  # nothing else failed


def test_answer_that_is_not_finite_blames_the_numbers_if_the_model_is_sound(bench, checkpoints):
    """One request's overflow is that request's error; those that share its batch get their answers."""
    gate, adapter = Gate(), numpy_adapter_of(checkpoints)

    def invert(adapter, array):
        with np.errstate(divide="ignore"):
            return (1 / array,)

    async def ask():
        first = bench.start(gate, rows(1))
        await wait_for(gate.begun)
        both = [asyncio.create_task(bench.run(invert, array, adapter)) for array in (np.ones((1, 3)), np.zeros((1, 3)))]
        await asyncio.sleep(0.05)
        gate.open.set()
        await first
        return await asyncio.gather(*both, return_exceptions=True)

    good, bad = asyncio.run(ask())

    assert good.tolist() == [[1, 1, 1]]
    assert isinstance(bad, InvalidValueError)
    assert bench.faults == []


def test_answer_that_is_not_finite_is_a_fault_if_the_model_is_broken(bench, checkpoints):
    """A model that answers a black image with NaN is out of order."""
    adapter = numpy_adapter_of(checkpoints)
    adapter.reconstruct = lambda images, eps: (images * np.nan, eps, eps)

    with pytest.raises(FrameworkFaultError):
        asyncio.run(bench.run(lambda adapter, array: (array * np.nan,), rows(1), adapter))

    assert len(bench.faults) == 1


def test_closing_answers_all_that_wait(bench):
    """Jobs that wait when the framework is taken out fail with the reason, and so do later ones."""
    gate = Gate()
    error = FrameworkUnavailableError("out of service", retry_after_s=1)

    async def ask():
        waiting = [bench.start(gate, rows(1)) for _ in range(3)]
        await wait_for(gate.begun)
        bench.batcher.close(error)
        results = await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(FrameworkUnavailableError, match="out of service"):
            await bench.run(double, rows(1))
        gate.open.set()
        return results

    assert asyncio.run(ask()) == [error] * 3


def test_time_in_the_queue_and_in_the_model_is_told(bench):
    """A request's timings are its own, and cover its wait and its computing."""
    gate = Gate()

    async def ask():
        waiting = bench.start(gate, rows(1))
        await wait_for(gate.begun)
        await asyncio.sleep(0.05)
        gate.open.set()
        await waiting

    asyncio.run(ask())

    assert bench.timings.model_s > 0.04
    assert 0 <= bench.timings.queue_s < bench.timings.model_s
