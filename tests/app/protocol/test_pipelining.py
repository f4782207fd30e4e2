"""Requests sent ahead of responses: good ones are answered in order, whatever follows them."""

import re
import socket
import threading

import pytest

from tests.support.app import make_service, running

BODY = b'{"latents": [' + b"0," * 19 + b"0]}"

CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)

LENGTH = b"Content-Length: %d" % len(BODY)

CHUNKED = b"Transfer-Encoding: chunked"

STATUS = re.compile(rb"HTTP/1\.1 ([2-5]\d\d) ")


def post(*headers, body=BODY, url=b"/decode?framework=pytorch"):
    """Return a request for one image."""
    lines = [b"POST %s HTTP/1.1" % url, b"Host: x", b"Content-Type: application/json", *headers, b"", b""]
    return b"\r\n".join(lines) + body


def get(url, *headers):
    """Return a request without a body."""
    return b"\r\n".join([b"GET %s HTTP/1.1" % url, b"Host: x", *headers, b"", b""])


GOOD = [post(LENGTH), get(b"/sample?n=3"), get(b"/healthz"), post(LENGTH)]

BAD = {
    "no HTTP": (b"GARBAGE\r\n\r\n", 400),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    "a proxy's method": (get(b"x:80").replace(b"GET", b"CONNECT"), 400),
    "an address that is none": (get(b"http://[x/healthz"), 400),
    "an address that is none, with a body": (post(LENGTH, url=b"http://[x/decode"), 400),
    "headers too long": (get(b"/healthz", b"A: " + b"x" * 40_000), 431),
    "headers too many": (get(b"/healthz", *[b"A: b"] * 150), 431),
    "a broken chunk": (post(CHUNKED, body=b"zz\r\n"), 400),
    "a broken second chunk": (post(CHUNKED, body=b"2\r\n{}\r\nzz\r\n"), 400),
}


def converse(client, *pieces):
    """Send pieces one after the other, and return all that is received until the server closes the connection."""
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=20) as sock:
        for piece in pieces:
            sock.sendall(piece)
            # Nothing but time tells two pieces apart.
            threading.Event().wait(0.005)
        return b"".join(iter(lambda: sock.recv(65536), b""))


@pytest.mark.parametrize("in_pieces", [False, True])
@pytest.mark.parametrize("name", BAD)
def test_good_requests_are_answered_before_a_bad_one(client, caplog, name, in_pieces):
    """The rejection is the last response, and nothing is logged as an error (RFC 9112, section 9.3.2)."""
    bad, status = BAD[name]
    pieces = [*GOOD, bad, *GOOD]

    received = converse(client, *(pieces if in_pieces else [b"".join(pieces)]))

    assert [int(code) for code in STATUS.findall(received)] == [200] * len(GOOD) + [status]
    assert b"connection: close" in received.rpartition(b"HTTP/1.1 ")[2]
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_slow_headers_after_a_good_request_are_408(checkpoints):
    """The client gets the good response first."""
    with running(make_service(checkpoints, frameworks="pytorch", headers_timeout_s=0.1)) as client:
        received = converse(client, GOOD[0] + b"GET /healthz HTTP/1.1\r\n")

    assert [int(code) for code in STATUS.findall(received)] == [200, 408]


OFFERS = {
    "HTTP/2": [b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"],
    "WebSocket": [b"Connection: keep-alive, Upgrade", b"Upgrade: websocket"],
    "any protocol": [b"upgrade: a/1, b", b"CONNECTION: UPGRADE"],
}


@pytest.mark.parametrize("step", [None, 1, 7])
@pytest.mark.parametrize("name", OFFERS)
def test_offer_of_another_protocol_is_ignored(client, name, step):
    """A request with an offer is answered as without it, with its body, and those behind it too (RFC 9110, 7.8)."""
    offer = OFFERS[name]
    data = b"".join(
        [
            post(LENGTH, *offer),
            post(CHUNKED, *offer, body=CHUNKS),
            get(b"/healthz", *offer),
            get(b"/sample").replace(b"GET", b"HEAD"),
            post(LENGTH, *offer),
        ]
    )
    pieces = [data] if step is None else [data[start : start + step] for start in range(0, len(data), step)]

    received = send_all(client, pieces)

    assert [int(code) for code in STATUS.findall(received)] == [200] * 6


def send_all(client, pieces):
    """Send pieces without a pause, then the end, and return all that is received."""
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=20) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            sock.sendall(piece)
        sock.sendall(get(b"/healthz", b"Connection: close"))
        return b"".join(iter(lambda: sock.recv(65536), b""))


@pytest.mark.parametrize("in_pieces", [False, True])
def test_trailer_of_a_waiting_request_is_no_header(client, in_pieces):
    """A request that waits for its turn is answered by its headers alone (RFC 9110, section 6.5.1)."""
    trailers = b"Accept: image/png\r\nX-Request-ID: from-a-trailer\r\nContent-Type: text/plain\r\n"
    waiting = [post(CHUNKED, b"Connection: close", body=CHUNKS[:-2]), trailers + b"\r\n"]
    pieces = [get(b"/sample?n=3"), *waiting]

    received = converse(client, *(pieces if in_pieces else [b"".join(pieces)]))

    assert STATUS.findall(received) == [b"200", b"200"]
    assert b"image/png" not in received
    assert b"from-a-trailer" not in received
