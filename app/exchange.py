"""A request to a model while it is answered: its headers, body and deadline, and what it may use. Knows no route."""

import math
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from app.codecs.body import Body, read_body
from app.codecs.limits import Limits
from app.codecs.wording import glimpse, wrong_value
from app.exceptions import SlowBodyError
from app.inference.registry import Registry
from app.memory import Memory
from app.metrics import Metrics
from app.patience import Patience
from app.settings import Settings

_SHORT_LENGTH_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """What every request to a model may use."""

    settings: Settings
    registry: Registry
    metrics: Metrics
    limits: Limits
    memory: Memory
    patience: Patience


class Exchange(Request):
    """A request that is read header by header and message by message, without what FastAPI would make of it."""

    def __init__(self, scope: Scope, receive: Receive, *, service: Service) -> None:
        """Read the headers.

        Raises:
            InvalidValueError: The client's X-Request-Timeout isn't a number of seconds.
        """
        super().__init__(scope, receive)
        self.service = service
        self.fields = join_fields(scope["headers"])
        """Headers by their names in lower case."""

        self.await_message = receive
        self._held = 0
        self._allowed_s = self._read_allowed_s()

    @property
    def elapsed_s(self) -> float:
        """Seconds since its headers came."""
        arrived: float = self.scope["state"]["arrived"]
        return time.perf_counter() - arrived

    @property
    def remaining_s(self) -> float:
        """Seconds that are left for the answer."""
        return self._allowed_s - self.elapsed_s

    def field(self, name: bytes) -> str | None:
        """Return a header, several of the name as one list; None where there is none."""
        value = self.fields.get(name)
        return None if value is None else value.decode("latin-1")

    def hold(self, nbytes: int) -> None:
        """Count bytes that are held until the request's end.

        Raises:
            OverloadedError: All requests together hold too many.
        """
        self.service.memory.take(nbytes)
        self._held += nbytes

    def release(self) -> None:
        """End the request."""
        if self._held:
            self.service.memory.give_back(self._held)

    async def read_body(self) -> Body:
        """Return the body, once it is there; errors are those of `app.codecs.body.read_body`.

        Raises:
            OverloadedError: All requests together hold too many bytes.
            SlowBodyError: It takes too long.
            ClientDisconnect: The client has gone.
        """
        limits = self.service.limits
        length = self.field(b"content-length")
        encoding = self.field(b"content-encoding")
        first: Message | None = None
        if encoding is None and length is not None and _is_short(length, limits):
            first = await self.await_message()
            if first["type"] == "http.request" and not first.get("more_body"):
                body: bytes = first.get("body", b"")
                return body  # whole at once, as most are
        return await read_body(
            self._messages(first), content_length=length, content_encoding=encoding, limits=limits, hold=self.hold
        )

    def _read_allowed_s(self) -> float:
        allowed = self.service.settings.request_timeout_s or math.inf
        asked = self.field(b"x-request-timeout")
        return allowed if asked is None else min(allowed, _parse_seconds(asked))

    async def _messages(self, first: Message | None) -> AsyncIterator[bytes]:
        allowed_s = self.service.settings.transfer_timeout_s
        message = first or await self.await_message()
        while message["type"] == "http.request":
            chunk: bytes = message.get("body", b"")
            self.hold(len(chunk))
            yield chunk
            if not message.get("more_body"):
                return
            # An empty message comes when the time is over: see `app.connection`.
            if self.elapsed_s > allowed_s:
                raise SlowBodyError(f"the body took over {allowed_s:g} s to come: send less at a time, or faster")
            message = await self.await_message()
        raise ClientDisconnect


def join_fields(headers: list[tuple[bytes, bytes]]) -> Mapping[bytes, bytes]:
    """Return headers by their names in lower case."""
    fields = dict(headers)
    if len(fields) == len(headers):
        return fields
    # Several of a name are one list (RFC 9110, section 5.2).
    joined: dict[bytes, bytes] = {}
    for name, value in headers:
        joined[name] = joined[name] + b", " + value if name in joined else value
    return joined


def _is_short(length: str, limits: Limits) -> bool:
    return len(length) < _SHORT_LENGTH_DIGITS and length.isdecimal() and int(length) <= limits.max_body_bytes


def _parse_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        raise wrong_value("header.X-Request-Timeout", f"is {glimpse(text)}: expected a number of seconds above 0")
    return seconds
