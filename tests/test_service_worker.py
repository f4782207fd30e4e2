"""The worker: one thread, whose faults and whose end are answered rather than raised."""

import asyncio
import threading

import pytest

from app.exceptions import FrameworkUnavailableError
from app.inference.worker import Worker


@pytest.fixture
def worker():
    """A worker that is closed at the end."""
    worker = Worker("jax")
    yield worker
    worker.close()


def test_call_runs_on_the_worker_s_own_thread(worker):
    """Every call runs on the same thread, which isn't the event loop's."""

    async def ask():
        return [(await worker.run(threading.get_ident))[0] for _ in range(3)]

    threads = set(asyncio.run(ask()))

    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_failure_is_unavailable_and_names_only_the_kind(worker):
    """What a framework raises may say anything; clients get its type."""

    def fail():
        raise ValueError("secret")

    with pytest.raises(FrameworkUnavailableError, match="ValueError") as caught:
        asyncio.run(worker.run(fail))

    assert "secret" not in str(caught.value)


def test_closed_worker_is_unavailable(worker):
    """A request that comes while the server stops is told so."""
    worker.close()

    with pytest.raises(FrameworkUnavailableError, match="stopping"):
        asyncio.run(worker.run(lambda: 1))


def test_cancelled_call_that_queues_is_never_run(worker):
    """A call whose wait is cancelled before it starts is dropped; the one that runs is not disturbed."""
    gate, ran = threading.Event(), []

    async def ask():
        first = asyncio.create_task(worker.run(gate.wait, 20))
        second = asyncio.create_task(worker.run(ran.append, "second"))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.sleep(0)
        gate.set()
        result, _ = await first
        await worker.run(ran.append, "third")
        return result

    result = asyncio.run(ask())

    assert result is True
    assert ran == ["third"]
