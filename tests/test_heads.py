"""Heads that are known by their bytes: where they end is beyond doubt, and nothing else is taken for them."""

import pytest

from app.heads import MAX_HEAD_BYTES, KnownHeads


def request(body=b"12345", *, line=b"POST /a HTTP/1.1", length=None, headers=b"Host: x\r\n", end=b"\r\n"):
    """Return a request."""
    length = b"%d" % len(body) if length is None else length
    return line + b"\r\n" + headers + b"Content-Length: " + length + b"\r\n" + end + body


def learned(data, *, method=b"POST", url=b"/a"):
    """Return heads that were taught one."""
    heads = KnownHeads()
    heads.learn(data, nbytes=len(data), method=method, url=url, kept="kept")
    return heads


def read(found):
    """Return what is kept of a head, the body, how much of it is missing, and the id."""
    return found.kept, found.body, found.missing, found.parts.request_id


def test_known_head_is_found_with_a_body_of_any_length():
    """What is kept comes back with the body, whose length may be another each time."""
    heads = learned(request())

    for body in (b"", b"1", b"another one", b"\r\n\r\n", request()):
        assert read(heads.find(request(body))) == ("kept", body, 0, None)


def test_body_that_has_not_come_is_told():
    """With the head alone, or a part of the body, it is known that more will come."""
    heads = learned(request())

    assert read(heads.find(request(b"123", length=b"5"))) == ("kept", b"123", 2, None)
    assert read(heads.find(request(b"", length=b"5"))) == ("kept", b"", 5, None)


def test_head_is_learned_from_the_beginning_of_a_request():
    """Of a long body no more is needed than how much a parser took in all; where that isn't the length, all is void."""
    data = request(b"x" * 1000)
    for nbytes, is_known in ((len(data), True), (len(data) - 1, False), (len(data) + 1, False), (50, False)):
        heads = KnownHeads()
        heads.learn(data[:100], nbytes=nbytes, method=b"POST", url=b"/a", kept="kept")
        assert (heads.find(request()) is not None) == is_known


def test_head_is_known_under_any_id():
    """The id is told apart from the head, and one that is none is a part of it."""
    heads = learned(request(headers=b"X-Request-ID: first\r\n"))

    assert read(heads.find(request(headers=b"X-Request-ID: second\r\n"))) == ("kept", b"12345", 0, b"second")
    for line in (
        b"X-Request-ID: two words",
        b"X-Request-ID:",
        b"X-Request-Id: first",
        b"X-Request-ID: a\r\nX-Request-ID: b",
    ):
        assert heads.find(request(headers=line + b"\r\n")) is None


@pytest.mark.parametrize(
    "data",
    [
        request(line=b"POST /b HTTP/1.1"),
        request(line=b"post /a HTTP/1.1"),
        request(headers=b"Host: y\r\n"),
        request(headers=b"host: x\r\n"),
        request(headers=b"Host: x\r\nContent-Length: 5\r\n"),
        b"\r\n" + request(),
        request(length=b"4"),
        request(length=b"5 "),
        request(length=b"+5"),
        request(length=b"5, 5"),
        request(length=b"0" * 20 + b"5"),
        request() + request(),
        request()[:-8],
        b"",
        b"\r\n\r\n",
    ],
)
def test_what_differs_in_a_byte_is_not_found(data):
    """Only the digits of the length may be others, and only as many bytes may follow."""
    assert learned(request()).find(data) is None


@pytest.mark.parametrize(
    ("data", "url"),
    [
        (b"\r\n\r\n" + request(), b"/a"),
        (b"\r\n" + request(), b"/a"),
        (request(headers=b"Host: x\nX: y\r\n"), b"/a"),
        (request(headers=b"Host: x\n\n"), b"/a"),
        (request(), b"/b"),
        (request(line=b"POST /a HTTP/1.0"), b"/a"),
        (request(length=b"4"), b"/a"),
        (request(length=b"6"), b"/a"),
        (request(headers=b"X: " + b"x" * MAX_HEAD_BYTES + b"\r\n"), b"/a"),
    ],
)
def test_what_may_be_read_in_two_ways_is_not_learned(data, url):
    """What a parser passes over before a request, or takes for a line's end, is no part of a head that is known."""
    heads = learned(data, url=url)

    assert heads.find(data) is None
    assert not heads._known


def test_heads_that_came_first_are_forgotten():
    """However many different heads come, some hundred are kept."""
    heads = KnownHeads()
    data = [request(headers=b"X: %d\r\n" % index) for index in range(1000)]
    for each in data:
        heads.learn(each, nbytes=len(each), method=b"POST", url=b"/a", kept="kept")

    found = [heads.find(each) is not None for each in data]
    assert not any(found[:700])
    assert all(found[-200:])
