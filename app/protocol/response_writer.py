"""Writes a response to its connection: status line, headers and body in one system call. Decides nothing."""

from collections.abc import Sequence
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

Message = Any
"""An ASGI message; uvicorn and Starlette each define their own type."""

Header = tuple[bytes, bytes]

_FRAMING: Final = frozenset((b"connection", b"transfer-encoding"))
"""Headers that decide in uvicorn how a response ends."""


class SingleWriteSender:
    """Wraps uvicorn's ASGI `send`: a response of one body message is written at once, with the request's ID.

    uvicorn would make two system calls, and check each header. Streamed responses and those to HEAD are left to it.
    """

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._send = cycle.send
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        """Send one message of ASGI."""
        if message["type"] == "http.response.start" and not self._cycle.response_started:
            self._start = message | {"headers": [*message["headers"], request_id_header(self._cycle)]}
            return
        start, self._start = self._start, None
        if start is None:
            await self._send(message)
        elif self._is_whole(start, message):
            write_response(self._cycle, start["status"], start["headers"], message.get("body", b""))
        else:
            await self._send(start)
            await self._send(message)
        if self._cycle.response_complete:
            # `send` refers to this object: a reference cycle would leave both to the garbage collector.
            vars(self._cycle).pop("send", None)

    def _is_whole(self, start: Message, message: Message) -> bool:
        """Return whether the two messages form a plain response, and the client is still connected."""
        cycle = self._cycle
        if message.get("more_body") or cycle.waiting_for_100_continue or cycle.scope["method"] == "HEAD":
            return False
        if cycle.flow.write_paused or cycle.disconnected:
            return False
        headers = start["headers"]
        if not _FRAMING.isdisjoint([name for name, _ in headers]):
            return False
        return (b"content-length", b"%d" % len(message.get("body", b""))) in headers


def write_response(cycle: RequestResponseCycle, status: int, headers: Sequence[Header], body: bytes) -> None:
    """Write a whole response, and let uvicorn continue with the connection.

    Raises:
        RuntimeError: A header holds a line break.
    """
    content = serialize_response(status, [*cycle.default_headers, *headers], body, close=not cycle.keep_alive)
    cycle.transport.write(content)
    cycle.response_started = cycle.response_complete = True
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()


def serialize_response(status: int, headers: Sequence[Header], body: bytes, *, close: bool = False) -> bytes:
    """Return a response as it is sent, with `Connection: close` if the connection ends after it.

    Raises:
        RuntimeError: A header contains a line break, which would allow response splitting.
    """
    lines = list(map(b": ".join, headers))
    if close:
        lines.append(b"connection: close")
    head = STATUS_LINE[status] + b"\r\n".join([*lines, b"\r\n"])
    if not head.count(b"\r") == head.count(b"\n") == len(lines) + 2:
        raise RuntimeError("Invalid HTTP header value.")
    return head + body


def request_id_header(cycle: RequestResponseCycle) -> Header:
    """Return the X-Request-ID header of a response."""
    request_id: str = cycle.scope["state"]["request_id"]
    return b"x-request-id", request_id.encode()
