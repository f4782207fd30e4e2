"""Sends an answer's headers and body together: uvicorn would ask the operating system twice, and check each header."""

from collections.abc import Sequence
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

Message = Any
"""Of ASGI; uvicorn and Starlette have a type of their own each."""

Header = tuple[bytes, bytes]

_OF_CONNECTIONS: Final = frozenset((b"connection", b"transfer-encoding"))
"""Headers by which uvicorn decides what else it does."""


class WholeAnswers:
    """What stands in for uvicorn's `send` of a request; whatever isn't a plain whole answer it leaves to uvicorn."""

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._send = cycle.send
        self._head: Message | None = None

    async def send(self, message: Message) -> None:
        """Take one message of ASGI."""
        cycle = self._cycle
        if message["type"] == "http.response.start" and not cycle.response_started:
            self._head = message
            return
        head, self._head = self._head, None
        if head is None:
            await self._send(message)
        elif (whole := self._join(head, message)) is not None:
            cycle.transport.write(whole)
            cycle.response_started = cycle.response_complete = True
            cycle.message_event.set()
            cycle.on_response()
        else:
            await self._send(head)
            await self._send(message)

    def _join(self, head: Message, message: Message) -> bytes | None:
        """Return what is to be sent, or None where there is more to it."""
        cycle = self._cycle
        if message.get("more_body") or not cycle.keep_alive or cycle.access_log or cycle.waiting_for_100_continue:
            return None
        if cycle.flow.write_paused or cycle.disconnected or cycle.scope["method"] == "HEAD":
            return None
        headers: Sequence[Header] = [*cycle.default_headers, *head["headers"]]
        if not _OF_CONNECTIONS.isdisjoint([name for name, _ in headers]):
            return None
        return join_answer(head["status"], headers, message.get("body", b""))


def join_answer(status: int, headers: Sequence[Header], body: bytes) -> bytes | None:
    """Return a whole answer as it is sent; None if its headers don't tell the body's length, or end more than one line.

    A line's end in a header would let whoever wrote it write the rest of the answer.
    """
    lines = [b": ".join(header) for header in headers]
    start = STATUS_LINE[status] + b"\r\n".join([*lines, b"\r\n"])
    if b"\r\ncontent-length: %d\r\n" % len(body) not in start:
        return None
    ends = len(headers) + 2
    return start + body if start.count(b"\r") == start.count(b"\n") == ends else None
