"""`app.client` where no response arrives, or one that may pass: what is sent again, and until when."""

import re
import time
from contextlib import suppress

import httpx
import pytest

from app.client import AsyncClient, Client, ConnectionFailedError, ResponseError


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


def test_request_that_cannot_be_sent_is_not_repeated():
    """It fails at once."""
    started = time.monotonic()

    with Client("localhost:8000", deadline_s=30) as client, pytest.raises(ConnectionFailedError, match="Unsupported"):
        client.frameworks()

    assert time.monotonic() - started < 10


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("key", ["secret\n", "secret €"])
def test_key_that_cannot_be_sent_is_refused_without_showing_it(kind, key):
    """It is found before anything is sent."""
    with pytest.raises(ValueError, match="the API key has other characters than visible ASCII") as caught:
        kind(api_key=key)

    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (httpx.Response(200, html="<html>"), "text/html.* address of the service"),
        (
            httpx.Response(200, headers={"Content-Type": "application/x-npy"}),
            "the response: .*expected a whole npy file",
        ),
    ],
)
def test_array_of_another_server_is_named(response, message):
    """A page in place of an array says that the address is wrong, and a part of one that it is a part."""
    transport = httpx.MockTransport(lambda _: response)

    with Client(transport=transport) as client, pytest.raises(ResponseError, match=message):
        client.sample()


@pytest.mark.parametrize("method", ["encode", "score", "compare"])
@pytest.mark.parametrize("content", ["{}", "[]", "<html>", '{"results": 1}'])
def test_json_of_another_server_is_named(method, content):
    """Other JSON than the route's says that the address is wrong."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=content))

    with (
        Client(transport=transport) as client,
        pytest.raises(ResponseError, match="is this the address of the service"),
    ):
        getattr(client, method)([[0.0]])


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


def test_refused_connection_is_an_error_of_its_own(caplog):
    """The error of a refused connection names the address and the cause, and each attempt is logged."""
    message = r"http://127.0.0.1:9 can't be reached \(ConnectError: .*refused"
    with Client("http://127.0.0.1:9", deadline_s=0.5) as client, pytest.raises(ConnectionFailedError, match=message):
        client.frameworks()

    assert re.search(message + ".*trying again", caplog.messages[0])
