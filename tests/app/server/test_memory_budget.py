"""The memory that all requests together may reserve for bodies and responses."""

import asyncio
import gzip
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from app.api.memory_budget import MAX_WAITING, MemoryBudget
from app.errors import OverloadedError, TooLargeError
from app.inference.adapters.numpy_adapter import NumpyAdapter
from tests.support.app import assert_problem, load_jax_as, make_images, make_service, npy, running

ROOM = 300_000


@pytest.fixture
def app(checkpoints):
    """A service with little room."""
    return make_service(checkpoints, frameworks="jax", max_held_bytes=ROOM)


def post(client, body, **headers):
    """Post an npy file in pieces."""
    return client.post(
        "/encode",
        content=iter([body]),
        headers={"Content-Type": "application/x-npy", "Accept": "application/x-npy"} | headers,
    )


def test_memory_is_reserved_and_released():
    """Over the bound nothing more is reserved, until something is released."""
    memory = MemoryBudget(max_bytes=10)
    memory.reserve_now(6)

    with pytest.raises(OverloadedError, match=r"may \(10\)"):
        memory.reserve_now(5)

    memory.release(6)
    memory.reserve_now(10)


def test_requests_wait_in_line_for_memory():
    """Each is admitted in its turn, once there is memory for it."""

    async def wait():
        memory = MemoryBudget(max_bytes=10)
        await memory.reserve(8, seconds=20)
        admitted = []

        async def enter(nbytes):
            await memory.reserve(nbytes, seconds=20)
            admitted.append(nbytes)

        entering = [asyncio.create_task(enter(nbytes)) for nbytes in (9, 1)]
        await asyncio.sleep(0)
        before = list(admitted)
        memory.release(8)
        await asyncio.gather(*entering)
        return before, admitted

    assert asyncio.run(wait()) == ([], [9, 1])


def test_requests_cancelled_together_leave_the_line():
    """A request whose place becomes free before it has left the line disturbs no other, and no byte is lost."""

    async def wait():
        memory = MemoryBudget(max_bytes=100)
        memory.reserve_now(50)
        waiting = [asyncio.create_task(memory.reserve(nbytes, seconds=20)) for nbytes in (80, 40)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        memory.release(50)
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        memory.reserve_now(100)
        return outcomes

    assert [type(outcome) for outcome in asyncio.run(wait())] == [asyncio.CancelledError] * 2


def test_line_for_memory_is_bounded_in_length_and_time():
    """Requests beyond the line, over the bound, or at their deadline are rejected, and leave the line."""

    async def wait():
        memory = MemoryBudget(max_bytes=10)
        await memory.reserve(10, seconds=20)
        with pytest.raises(TooLargeError):
            await memory.reserve(11, seconds=20)
        with pytest.raises(OverloadedError):
            await memory.reserve(1, seconds=0)
        line = [asyncio.create_task(memory.reserve(1, seconds=20)) for _ in range(MAX_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await memory.reserve(1, seconds=20)
        for task in line:
            task.cancel()
        await asyncio.gather(*line, return_exceptions=True)
        memory.release(10)
        await memory.reserve(10, seconds=0)

    asyncio.run(wait())


class SlowAdapter(NumpyAdapter):
    """Lets a queue build up."""

    def reconstruct(self, images, eps):
        """Compute after a while."""
        time.sleep(0.03)
        return super().reconstruct(images, eps)


@pytest.mark.parametrize("kind", ["application/json", "application/x-npy"])
def test_eight_clients_with_the_largest_request_are_all_served(checkpoints, kind):
    """With the default settings, they wait for memory and for one another rather than being rejected."""
    images = make_images(1024)
    is_json = kind == "application/json"
    body = json.dumps({"images": images.round(3).tolist()}).encode() if is_json else npy(images)
    app = make_service(checkpoints, frameworks="jax", load=load_jax_as(SlowAdapter))
    with running(app) as client, ThreadPoolExecutor(8) as pool:
        url, headers = str(client.base_url.join("/reconstruct")), {"Content-Type": kind}
        post = partial(httpx.post, url, content=body, headers=headers, timeout=60)
        statuses = [response.status_code for response in pool.map(lambda _: post(), range(16))]

    assert statuses == [200] * 16


def test_body_larger_than_the_budget_is_413(app):
    """Another attempt would fail alike, with a declared length or chunked; smaller bodies after it find room."""
    with running(app) as client:
        body = npy(make_images(200))
        chunked = post(client, body)
        declared = client.post("/encode", content=body, headers={"Content-Type": "application/x-npy"})
        statuses = [post(client, npy(make_images(60))).status_code for _ in range(5)]

    for refused in (declared, chunked):
        assert_problem(refused, 413)
        assert "all requests hold" in refused.json()["detail"]
    assert statuses == [200] * 5


def test_compressed_body_needs_room_for_what_it_may_come_to(app):
    """Memory is reserved while a body is decompressed; one that never fits is 413."""
    with running(app) as client:
        refused = post(client, gzip.compress(bytes(10**6)), **{"Content-Encoding": "gzip"})

    assert_problem(refused, 413)


def test_small_compressed_body_needs_little_room(checkpoints):
    """It needs as much as it comes to, not as much as a piece may."""
    with running(make_service(checkpoints, frameworks="jax", max_held_bytes=20_000)) as client:
        response = post(client, gzip.compress(npy(make_images(1))), **{"Content-Encoding": "gzip"})

    assert response.status_code == 200


def test_answer_that_nobody_takes_holds_its_room_until_the_client_goes(checkpoints):
    """Large responses wait for their clients, and other requests wait for memory until their deadline."""
    large = "/sample?n=1024"  # more than the kernel takes of an answer that nobody reads
    with running(make_service(checkpoints, frameworks="jax", max_held_bytes=12_000_000)) as client:
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect((client.base_url.host, client.base_url.port))
            slow.sendall(f"GET {large} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            slow.recv(1024)
            refused = client.get(large, headers={"X-Request-Timeout": "4"})
            small = client.get("/sample")
        after = client.get(large)

    assert_problem(refused, 429)
    assert small.status_code == after.status_code == 200
    assert 6_000_000 < len(after.content) < 12_000_000
