"""Requests that no HTTP library would send, over a raw socket."""

import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

BODY = b'{"latents": [' + b"0," * 19 + b"0]}"

LENGTH = b"Content-Length: %d" % len(BODY)

CHUNKED = b"Transfer-Encoding: chunked"

CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)

CLOSE = b"Connection: close"

WRONG_AS_HEADERS = b"Content-Encoding: br\r\nContent-Type: text/plain\r\nX-Request-Timeout: 0\r\n"

STATUS = re.compile(rb"HTTP/1\.1 ([2-5]\d\d) ")


def get(target, *headers, method=b"GET", version=b"HTTP/1.1"):
    """Return a request without a body, after which the connection is to be closed."""
    return b"\r\n".join([b"%s %s %s" % (method, target, version), b"Host: x", CLOSE, *headers, b"", b""])


def post(*headers, body=BODY, target=b"/decode"):
    """Return a request for one image."""
    lines = [b"POST %s HTTP/1.1" % target, b"Host: x", b"Content-Type: application/json", *headers, b"", b""]
    return b"\r\n".join(lines) + body


def ask(client, data, *, half_close=False):
    """Send bytes, and return the statuses of the answers once the server closes the connection."""
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return [int(status) for status in STATUS.findall(answer)]


def assert_serves(client):
    """Check that the service answers a request to a model."""
    assert client.get("/sample?framework=pytorch").status_code == 200


RIGHT = {
    "a length": (post(LENGTH, CLOSE), [200]),
    "chunks": (post(CHUNKED, CLOSE, body=CHUNKS), [200]),
    "chunks, in another case": (post(b"TRANSFER-ENCODING: , CHUNKED ", CLOSE, body=CHUNKS), [200]),
    "chunks of a byte": (
        post(CHUNKED, CLOSE, body=b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"),
        [200],
    ),
    "chunks with extensions": (post(CHUNKED, CLOSE, body=CHUNKS.replace(b"\r\n", b";a=b\r\n", 1)), [200]),
    "trailers": (post(CHUNKED, CLOSE, body=CHUNKS[:-2] + b"X-Sum: 1\r\n\r\n"), [200]),
    "trailers that are wrong as headers": (post(CHUNKED, CLOSE, body=CHUNKS[:-2] + WRONG_AS_HEADERS + b"\r\n"), [200]),
    "an expectation": (post(b"Expect: 100-continue", LENGTH, CLOSE), [200]),
    "an empty line first": (b"\r\n" + get(b"/healthz"), [200]),
    "HTTP/1.0": (b"GET /healthz HTTP/1.0\r\n\r\n", [200]),
    "HTTP/1.0 to a model": (b"GET /sample HTTP/1.0\r\n\r\n", [200]),
    "an absolute address": (get(b"http://x/sample?seed=1"), [200]),
    "an absolute address without a path": (get(b"http://x?source"), [200]),
    "an absolute address of a host alone": (get(b"http://x"), [200]),
    "an absolute address with a slash in its query": (get(b"http://x?a=/b"), [200]),
    "a body where none is read": (get(b"/healthz", b"Content-Length: 5") + b"hello", [200]),
    "an upgrade to HTTP/2": (get(b"/healthz", b"Upgrade: h2c"), [200]),
    "an id that is no text": (get(b"/healthz", b"X-Request-ID: \xff\xfe"), [200]),
    "requests in a row": (
        post(LENGTH) + get(b"/nothing").replace(CLOSE, b"A: b") + post(LENGTH, CLOSE),
        [200, 404, 200],
    ),
    "a hundred requests in a row": (post(LENGTH) * 99 + post(LENGTH, CLOSE), [200] * 100),
}

WRONG = {
    "no length": (post(CLOSE, body=b""), 400),
    "both lengths": (post(LENGTH, CHUNKED, body=CHUNKS), 400),
    "both lengths, the other way around": (post(CHUNKED, LENGTH, body=CHUNKS), 400),
    "two lengths": (post(LENGTH, b"Content-Length: 5"), 400),
    "a list of lengths": (post(LENGTH + b", 5"), 400),
    "a length below 0": (post(b"Content-Length: -1"), 400),
    "a length with a sign": (post(b"Content-Length: +5"), 400),
    "a length in letters": (post(b"Content-Length: five"), 400),
    "a length beyond 64 bits": (post(b"Content-Length: " + b"9" * 30), 400),
    "a length over the limit": (post(b"Content-Length: 99999999", CLOSE, body=b"x" * 4096), 413),
    "a chunk without a length": (post(CHUNKED, body=b"zz\r\nhello\r\n0\r\n\r\n"), 400),
    "a chunk longer than its length": (post(CHUNKED, body=b"2\r\nhello\r\n0\r\n\r\n"), 400),
    "a chunk below 0": (post(CHUNKED, body=b"-2\r\nhello\r\n0\r\n\r\n"), 400),
    "a chunk beyond 64 bits": (post(CHUNKED, body=b"f" * 18 + b"\r\nhello"), 400),
    "another transfer encoding": (post(b"Transfer-Encoding: gzip"), 400),
    "no transfer encoding": (post(b"Transfer-Encoding:", body=CHUNKS), 400),
    "a parameter of chunked": (post(CHUNKED + b";a=b", body=CHUNKS), 400),
    "chunks, then something": (post(b"Transfer-Encoding: chunked, identity", body=CHUNKS), 400),
    "chunks of HTTP/1.0": (post(CHUNKED, body=CHUNKS).replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
    "compressed chunks": (post(b"Transfer-Encoding: gzip, chunked", body=CHUNKS), 501),
    "compressed chunks, in two headers": (post(b"Transfer-Encoding: gzip", CHUNKED, body=CHUNKS), 501),
    "a removed coding of chunks": (post(b"Transfer-Encoding: identity, Chunked", body=CHUNKS), 501),
    "compressed chunks beside a length": (post(LENGTH, b"Transfer-Encoding: gzip, chunked", body=CHUNKS), 400),
    "a space before the colon": (post(b"Transfer-Encoding : chunked", body=CHUNKS), 400),
    "a header without a colon": (get(b"/healthz", b"hello"), 400),
    "a header's name with a space": (get(b"/healthz", b"X A: b"), 400),
    "a header with NUL": (get(b"/healthz", b"X-A: b\0c"), 400),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    "two hosts": (get(b"/healthz", b"Host: y"), 400),
    "two hosts of HTTP/1.0": (get(b"/healthz", b"Host: y", version=b"HTTP/1.0"), 400),
    "two hundred headers": (get(b"/healthz", *[b"X-A: b"] * 200), 431),
    "a folded header": (get(b"/healthz", b"X-A: b", b" c"), 400),
    "bare line feeds": (get(b"/healthz").replace(b"\r\n", b"\n"), 400),
    "an address without a host's end": (get(b"http://[x/healthz"), 400),
    "an address without a host's end, with a body": (post(LENGTH, target=b"http://[x/decode"), 400),
    "NUL in the path": (get(b"/heal\0thz"), 400),
    "a byte over 127 in the path": (get(b"/healthz\xff"), 400),
    "a byte over 127 in the query": (get(b"/sample?\xff=7"), 400),
    "NUL in the path, escaped": (get(b"/heal%00thz"), 404),
    "no UTF-8 in the path, escaped": (get(b"/heal%ffthz"), 404),
    "a path that climbs": (get(b"/../../etc/passwd"), 404),
    "a path that climbs, escaped": (get(b"/%2e%2e/%2e%2e/etc/passwd"), 404),
    "a path that climbs from the documentation": (get(b"/static-offline-docs/..%2f..%2f..%2fetc/passwd"), 404),
    "two slashes": (get(b"//healthz"), 404),
    "no path": (get(b"*", method=b"OPTIONS"), 404),
    "a known method that isn't the route's": (get(b"/healthz", method=b"TRACE"), 405),
    "an unknown method": (get(b"/healthz", method=b"BREW"), 400),
    "a method in lower case": (get(b"/healthz", method=b"get"), 400),
    "a proxy's method": (get(b"x:80", method=b"CONNECT"), 400),
    "HTTP/9.9": (get(b"/healthz", version=b"HTTP/9.9"), 400),
    "a version in lower case": (get(b"/healthz", version=b"http/1.1"), 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400),
    "words": (b"hello, are you there?\r\n\r\n", 400),
}

TOO_LONG = {
    "an address of 40,000 bytes": get(b"/" + b"a" * 40_000),
    "an address of a million bytes": b"GET /" + b"a" * 1_000_000,
    "a header of 40,000 bytes": get(b"/healthz", b"X-A: " + b"a" * 40_000),
    "headers without an end": b"GET /healthz HTTP/1.1\r\n" + b"X-A: b\r\n" * 100_000,
    "a trailer of a million bytes": post(CHUNKED, body=CHUNKS[:-2] + b"X-Sum: " + b"1" * 1_000_000),
    "trailers without an end": post(CHUNKED, body=CHUNKS[:-2] + b"X-A: b\r\n" * 100_000),
    "an extension of a chunk of a million bytes": post(CHUNKED, body=b"5;a=" + b"b" * 1_000_000),
}

CUT_SHORT = {
    "nothing": b"",
    "empty lines": b"\r\n" * 100,
    "a method": b"GET",
    "a line": b"GET /healthz HTTP/1.1\r\n",
    "HTTP/0.9": b"GET /healthz\r\n",
    "a body of nothing": post(LENGTH, body=b""),
    "half a body": post(LENGTH, body=BODY[:20]),
    "half a chunk": post(CHUNKED, body=CHUNKS[:20]),
    "chunks without an end": post(CHUNKED, body=CHUNKS[:-5]),
}


@pytest.mark.parametrize("name", RIGHT)
def test_odd_request_is_answered(client, name):
    """Valid requests of a connection get their responses in turn."""
    data, statuses = RIGHT[name]

    assert ask(client, data) == statuses


@pytest.mark.parametrize("name", WRONG)
def test_wrong_request_is_answered_once(client, name):
    """An invalid or unsupported request gets one response, and the connection is closed."""
    data, status = WRONG[name]

    assert ask(client, data) == [status]

    assert_serves(client)


def test_http_1_0_has_no_interim_response(client):
    """An expectation of a client that can't know `100 Continue` is ignored (RFC 9110, section 10.1.1)."""
    data = post(b"Expect: 100-continue", LENGTH).replace(b"HTTP/1.1", b"HTTP/1.0")
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=20) as connection:
        connection.sendall(data)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 200 ")


def test_unsupported_transfer_coding_is_named(client):
    """The problem document says which coding was found, and what to send."""
    data, _ = WRONG["compressed chunks"]
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=20) as connection:
        connection.sendall(data)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    problem = json.loads(answer.rpartition(b"\r\n\r\n")[2])
    assert problem["title"] == "Not Implemented"
    assert problem["detail"].startswith("Transfer-Encoding is 'gzip, chunked': only chunked is supported")


@pytest.mark.parametrize("name", CUT_SHORT)
def test_request_that_is_cut_short_is_dropped(client, name):
    """A client that ends in the middle of a request has no answer but a closed connection."""
    assert ask(client, CUT_SHORT[name], half_close=True) == []

    assert_serves(client)


def test_two_hundred_clients_that_leave_early_leave_the_server_serving(client):
    """Clients that reset the connection in the middle of a request, or before its answer, harm nobody."""

    def leave(index):
        data = post(LENGTH)[: 20 + index] if index % 2 else post(LENGTH)
        address = (client.base_url.host, client.base_url.port)
        with socket.create_connection(address, timeout=20) as connection:
            # Closing with a linger of no time resets the connection.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.sendall(data)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(leave, range(200)))

    assert_serves(client)


@pytest.mark.parametrize("name", TOO_LONG)
def test_endless_request_is_cut_off(client, name):
    """An address, headers or trailers beyond the limit are answered or the connection is closed, before they end."""
    try:
        statuses = ask(client, TOO_LONG[name])
    except ConnectionError:
        statuses = [431]  # it was closed while there was more to come, which took the answer with it

    assert statuses == [431]
    assert_serves(client)
