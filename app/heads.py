"""Heads of requests that are known byte for byte, so that nobody need parse them again.

A client sends the same request line and headers with each picture of a kind, but for the body's length and an id.
Where a head is told from a body must be beyond doubt: whoever could have bytes of the one taken for the other could
slip a request into another's connection.
"""

import re
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

MAX_HEAD_BYTES: Final = 2048
"""A longer head is never known."""

_MOST_KNOWN: Final = 256

_HEAD_END: Final = b"\r\n\r\n"
# Proxies give each request an id.
_ID: Final = re.compile(rb"\r\nx-request-id: ?([!-~]{1,128})\r\n", re.IGNORECASE)
_LENGTH: Final = re.compile(rb"\r\ncontent-length: ?([0-9]{1,9})\r\n", re.IGNORECASE)


class Parts(NamedTuple):
    """A request, of whose body some may not have come."""

    head: bytes
    """Without the values that differ each time."""

    body_start: int
    """Where in the data the body begins."""

    body_length: int
    """As the head tells it."""

    request_id: bytes | None
    """The client's own."""

    @property
    def nbytes(self) -> int:
        """Of the whole request."""
        return self.body_start + self.body_length


class Found(NamedTuple, Generic[T]):
    """A request whose head is known, and what is kept of that."""

    data: bytes
    parts: Parts
    kept: T

    @property
    def body(self) -> bytes:
        """What has come of it."""
        return self.data[self.parts.body_start :]

    @property
    def missing(self) -> int:
        """How many bytes of the body haven't come."""
        return self.parts.nbytes - len(self.data)


class KnownHeads(Generic[T]):
    """What is kept of heads; of too many, those that came first are forgotten."""

    def __init__(self) -> None:
        self._known: dict[bytes, T] = {}

    def find(self, data: bytes) -> "Found[T] | None":
        """Return what is kept of the head, if the data are a request that begins with one, and nothing after that."""
        parts = _split(data)
        if parts is None or parts.head not in self._known or parts.nbytes < len(data):
            return None
        return Found(data, parts, self._known[parts.head])

    def learn(self, data: bytes, *, nbytes: int, method: bytes, url: bytes, kept: T) -> None:
        """Keep something of the head that the data begin with, of `nbytes` that a parser took for one request."""
        parts = _split(data)
        if parts is None or parts.nbytes != nbytes:
            return
        head = parts.head
        # A parser may pass over empty lines before a request, and take a line feed alone for a line's end.
        if not head.startswith(b"%s %s HTTP/1.1\r\n" % (method, url)) or head.count(b"\n") != head.count(b"\r\n"):
            return
        if len(self._known) >= _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[head] = kept


def _split(data: bytes) -> Parts | None:
    """Return the parts of the request that the data begin with; None if there is no such one."""
    end = data.find(_HEAD_END, 0, MAX_HEAD_BYTES) + len(_HEAD_END)
    if end < len(_HEAD_END):
        return None
    length = _LENGTH.search(data, 0, end)
    if length is None:
        return None
    head = data[: length.start(1)] + data[length.end(1) : end]
    own_id = _ID.search(head)
    if own_id is not None:
        head = head[: own_id.start(1)] + head[own_id.end(1) :]
    return Parts(head, end, int(length[1]), own_id and own_id[1])
