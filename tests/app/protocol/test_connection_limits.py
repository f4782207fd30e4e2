"""Clients that are slow, many, or send too much, over raw sockets."""

import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from app.server.http_server import ACCEPT_BATCH
from tests.support.app import assert_problem, make_images, make_service, npy, running, wait_until

CROWD = 128

SLOW = {"headers_timeout_s": 0.2, "transfer_timeout_s": 0.2}


@contextmanager
def connected(client):
    """Give a socket to the service."""
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=20) as sock:
        yield sock


def read_all(sock):
    """Return what comes until the server closes."""
    chunks = iter(lambda: sock.recv(65536), b"")
    return b"".join(chunks)


def drip(sock, piece, *, pause_s=0.0):
    """Send the same again and again, until the server has had enough."""
    while True:
        sock.sendall(piece)
        time.sleep(pause_s)


@pytest.fixture
def short_lingering(monkeypatch):
    """Have refused clients hung up on sooner."""
    monkeypatch.setattr("app.protocol.connection._LINGER_S", 0.2)


@pytest.fixture(scope="module")
def hasty_client(way, checkpoints):
    """A client of a service that waits for nobody."""
    with running(make_service(checkpoints, frameworks="jax", fast_path=way == "true", **SLOW)) as client:
        yield client


def test_connections_that_come_together_wait_for_few_turns_of_the_event_loop(checkpoints):
    """Under load, each of its turns serves everybody else first, and takes as long as that does."""
    app = make_service(checkpoints, frameworks="jax")
    with running(app) as client, ExitStack() as stack:
        server = app.state.server
        loop = server.servers[0].get_loop()
        have_come, counts = threading.Event(), []

        def count_turns():
            counts.append(len(server.server_state.connections))
            if counts[-1] <= CROWD and len(counts) < 10 * CROWD:
                loop.call_soon(count_turns)

        # The kernel takes connections while the loop stands still.
        loop.call_soon_threadsafe(lambda: (have_come.wait(), count_turns()))
        for _ in range(CROWD):
            stack.enter_context(connected(client))
        have_come.set()
        wait_until(lambda: counts and counts[-1] == CROWD + 1)  # and the client's own

    assert len(counts) <= CROWD / ACCEPT_BATCH + 5


def test_slow_clients_are_cut_off(hasty_client):
    """Headers and bodies that don't come in time are 408, a client that says nothing is hung up on."""
    beginnings = {
        b"": b"",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n": b"HTTP/1.1 408 Request Timeout\r\n",
        b"POST /encode HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-npy\r\nContent-Length: 9\r\n\r\nhalf": (
            b"HTTP/1.1 408 Request Timeout\r\n"
        ),
    }

    def ask(beginning):
        with connected(hasty_client) as sock:
            sock.sendall(beginning)
            return read_all(sock)

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(ask, beginnings))

    for answer, expected in zip(answers, beginnings.values(), strict=True):
        assert answer.startswith(expected)
        if expected:
            assert b"application/problem+json" in answer
            assert b"took over 0.2 s" in answer
            assert b"connection: close\r\n" in answer.lower()
        else:
            assert answer == b""
    # The second of them is one of the application's own: it knew the request.
    metrics = hasty_client.get("/metrics").text
    assert 'triptych_requests_total{framework="none",route="other",status="408"} 1.0' in metrics


@pytest.mark.usefixtures("short_lingering")
def test_body_that_nobody_wants_is_not_read_for_ever(hasty_client):
    """A client that is answered before its body has ended is hung up on, though it goes on sending."""
    with connected(hasty_client) as sock:
        sock.sendall(b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        answer = sock.recv(65536)
        with pytest.raises(ConnectionError):
            drip(sock, b"x", pause_s=0.05)

    assert answer.startswith(b"HTTP/1.1 404 ")


def test_client_that_takes_no_answer_is_cut_off(way, checkpoints):
    """An answer that isn't read in time is dropped with its connection."""
    app = make_service(checkpoints, frameworks="jax", fast_path=way == "true", **SLOW)

    with running(app) as client, socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect((client.base_url.host, client.base_url.port))
        sock.sendall(b"GET /sample?n=1024 HTTP/1.1\r\nHost: x\r\n\r\n")
        first = sock.recv(1024)
        while len(app.state.server.server_state.connections) > 1:
            time.sleep(0.05)
        rest = read_all(sock)

    head, _, body = (first + rest).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert len(body) < int(re.search(rb"content-length: (\d+)", head)[1])


@pytest.mark.parametrize(
    "headers",
    [
        [("Padding", "x" * 40_000)],
        [(f"Padding-{number}", "x" * 4000) for number in range(10)],
        [(f"Padding-{number}", "x") for number in range(101)],
    ],
)
def test_headers_too_long_or_too_many_are_431(client, headers):
    """Long headers are refused with the limit, in however many pieces they come."""
    response = client.get("/healthz", headers=headers)

    assert_problem(response, 431)
    assert "send" in response.json()["detail"]


@pytest.mark.usefixtures("short_lingering")
def test_headers_that_never_end_are_431(client):
    """They are refused as they come, before they end."""
    with connected(client) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        with pytest.raises(ConnectionError):
            drip(sock, b"Padding: " + b"x" * 1000 + b"\r\n")


def test_connections_beyond_the_limit_are_503(checkpoints):
    """A connection over the limit is 503, except for health checks; when another ends there is room again."""
    with running(make_service(checkpoints, frameworks="jax", max_connections=2)) as client:
        url = client.base_url
        with connected(client):  # beside the client's own
            crowded = httpx.get(url.join("/frameworks"))
            healthy = httpx.get(url.join("/healthz"))
        while (after := httpx.get(url.join("/frameworks"))).status_code == 503:
            time.sleep(0.05)

    assert_problem(crowded, 503)
    assert crowded.headers["Retry-After"] == "1"
    assert healthy.status_code == after.status_code == 200


def test_what_is_no_http_is_a_problem_document(client):
    """Bytes that can't be parsed are 400, and the connection is closed."""
    with connected(client) as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        answer = read_all(sock)

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"application/problem+json" in answer


def test_requests_on_the_way_are_answered_when_the_server_stops(checkpoints):
    """A connection that is idle when the server begins to stop is still answered, and then closed."""
    app = make_service(checkpoints, frameworks="jax")

    with running(app) as client:
        sock = socket.create_connection((client.base_url.host, client.base_url.port), timeout=20)
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        before = sock.recv(65536)
        app.state.server.stop()
        sock.sendall(b"GET /sample HTTP/1.1\r\nHost: x\r\n\r\n")
        after = read_all(sock)
        sock.close()

    assert before.startswith(b"HTTP/1.1 200 OK\r\n")
    assert after.startswith(b"HTTP/1.1 200 OK\r\n")


def test_body_that_comes_in_pieces_in_time_is_taken(client):
    """A body need not come at once."""
    body = npy(make_images(1))
    head = b"POST /encode HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-npy\r\nConnection: close\r\n"
    with connected(client) as sock:
        sock.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body))
        sock.sendall(body[:100])
        sock.sendall(body[100:])
        answer = read_all(sock)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
