"""`app.client` where no response arrives, or one that may pass: what is sent again, and until when."""

import socket
import time
from contextlib import suppress

import httpx
import pytest

from app.client import Client, ConnectionFailedError, ResponseError


@pytest.mark.parametrize("status", [429, 502, 503])
def test_refusals_are_retried_as_retry_after_says(status):
    """Two refusals that name no wait, then a response: the caller sees the response alone."""
    attempts = []

    def respond(request):
        attempts.append(request)
        if len(attempts) < 3:
            return httpx.Response(status, headers={"Retry-After": "0"}, json={"detail": "later"})
        return httpx.Response(200, json={"frameworks": []})

    with Client(transport=httpx.MockTransport(respond)) as client:
        assert client.frameworks() == {"frameworks": []}
    assert len(attempts) == 3


@pytest.mark.parametrize(
    ("content_type", "count"), [("text/plain; charset=utf-8", 2), ("application/problem+json", 1)], ids=["proxy", "own"]
)
def test_internal_error_is_retried_only_if_a_proxy_sent_it(content_type, count):
    """Ray's proxy sends 500 as plain text when a replica ends; the service's own 500 is final."""
    attempts = []

    def respond(request):
        attempts.append(request)
        if len(attempts) == 1:
            return httpx.Response(500, headers={"Content-Type": content_type}, content=b'{"detail": "oops"}')
        return httpx.Response(200, json={"frameworks": []})

    with Client(transport=httpx.MockTransport(respond)) as client, suppress(ResponseError):
        client.frameworks()

    assert len(attempts) == count


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "localhost:8000"}, "UnsupportedProtocol"),
        ({"api_key": "secret\n"}, "characters that HTTP doesn't allow"),
    ],
)
def test_request_that_cannot_be_sent_is_not_repeated(options, message):
    """It fails at once, and no message has the key."""
    started = time.monotonic()

    with socket.create_server(("127.0.0.1", 0)) as server:
        address = {"url": f"http://127.0.0.1:{server.getsockname()[1]}"}
        with Client(deadline_s=30, **(address | options)) as client, pytest.raises(ConnectionFailedError) as caught:
            client.frameworks()

    assert time.monotonic() - started < 10
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def test_response_of_another_server_is_named():
    """A page in place of an array says that the address is wrong."""
    page = httpx.MockTransport(lambda _: httpx.Response(200, html="<html>"))

    with Client(transport=page) as client, pytest.raises(ResponseError, match=r"text/html.* address of the service"):
        client.sample()


def test_deadline_bounds_the_retries():
    """A wait beyond the deadline isn't begun: the refusal is raised at once."""
    attempts = []

    def respond(request):
        attempts.append(request)
        return httpx.Response(503, headers={"Retry-After": "3600"}, json={"detail": "loading"})

    started = time.monotonic()
    with (
        Client(transport=httpx.MockTransport(respond), deadline_s=5) as client,
        pytest.raises(ResponseError, match="503: loading"),
    ):
        client.frameworks()

    assert time.monotonic() - started < 5
    assert len(attempts) == 1


def test_refused_connection_is_an_error_of_its_own():
    """The error of a refused connection names the cause."""
    with Client("http://127.0.0.1:9", deadline_s=0.5) as client, pytest.raises(ConnectionFailedError, match="refused"):
        client.frameworks()
