"""What all requests together may hold of bodies and answers."""

import gzip
import socket
import time

import pytest

from app.exceptions import OverloadedError
from app.memory import Memory
from tests.service import assert_problem, make_images, make_service, npy, running

ROOM = 300_000


@pytest.fixture
def app(checkpoints):
    """A service with little room."""
    return make_service(checkpoints, frameworks="jax", max_held_bytes=ROOM)


def post(client, body, **headers):
    """Post a npy file in pieces."""
    return client.post(
        "/encode",
        content=iter([body]),
        headers={"Content-Type": "application/x-npy", "Accept": "application/x-npy"} | headers,
    )


def test_room_is_taken_and_given_back():
    """Over the bound nothing more is taken, until something is given back."""
    memory = Memory(max_bytes=10)
    memory.take(6)

    with pytest.raises(OverloadedError, match="10 bytes"):
        memory.take(5)

    memory.give_back(6)
    memory.take(10)


def test_body_without_room_is_429(app):
    """A body that others leave no room for is refused while it comes; one after it finds room."""
    with running(app) as client:
        refused = post(client, npy(make_images(200)))
        taken = [post(client, npy(make_images(60))).status_code for _ in range(5)]

    assert_problem(refused, 429)
    assert refused.headers["Retry-After"] == "1"
    assert taken == [200] * 5


def test_compressed_body_needs_room_for_what_it_may_come_to(app):
    """Room is taken before a body is unpacked."""
    with running(app) as client:
        refused = post(client, gzip.compress(bytes(10**6)), **{"Content-Encoding": "gzip"})

    assert_problem(refused, 429)


def test_answer_that_nobody_takes_holds_its_room_until_the_client_goes(checkpoints):
    """Large answers wait for their clients, and others are told to come back meanwhile."""
    large = "/sample?n=1024"  # more than the kernel takes of an answer that nobody reads
    with running(make_service(checkpoints, frameworks="jax", max_held_bytes=12_000_000)) as client:
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect((client.base_url.host, client.base_url.port))
            slow.sendall(f"GET {large} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            slow.recv(1024)
            refused = client.get(large)
            small = client.get("/sample")
        while (after := client.get(large)).status_code == 429:
            time.sleep(0.05)

    assert_problem(refused, 429)
    assert small.status_code == after.status_code == 200
    assert 6_000_000 < len(after.content) < 12_000_000
