"""Per-request context: headers, body, deadline and memory reservation. Knows no route."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping
from typing import Final

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from app.api.deadlines import CancelledAtDeadline
from app.api.offload import INLINE_BYTES
from app.api.services import Services
from app.codecs.body import Body, read_body
from app.codecs.error_messages import invalid_value, truncated
from app.codecs.limits import Limits
from app.errors import DeadlinePassedError, ModelNotLoadedError, SlowBodyError
from app.inference.models.state import LoadedModel, ModelChoice
from app.inference.session import ModelSession
from app.settings import Settings

_SHORT_LENGTH_DIGITS: Final = 6


class RequestContext(Request):
    """A request that is read header by header and message by message, without FastAPI's parsing."""

    def __init__(self, scope: Scope, receive: Receive, *, services: Services) -> None:
        """Read the headers.

        Raises:
            InvalidValueError: The client's X-Request-Timeout isn't a number of seconds.
        """
        super().__init__(scope, receive)
        self.services = services
        self.headers_by_name = join_headers(scope["headers"])
        """Headers by their names in lower case."""

        self.receive_message = receive
        self._body_bytes = self._response_bytes = 0
        self._allowed_s = read_timeout(self.headers_by_name, services.settings)

    @property
    def elapsed_s(self) -> float:
        """Seconds since its headers were complete."""
        arrived: float = self.scope["state"]["arrived"]
        return time.perf_counter() - arrived

    @property
    def remaining_s(self) -> float:
        """Seconds that are left until its deadline."""
        return self._allowed_s - self.elapsed_s

    def limit_time(self, seconds: float) -> None:
        """Allow the request at most so many seconds, counted from the arrival of its headers."""
        self._allowed_s = min(self._allowed_s, seconds)

    def header(self, name: bytes) -> str | None:
        """Return a header, several of one name joined by commas; None if there is none."""
        value = self.headers_by_name.get(name)
        return None if value is None else value.decode("latin-1")

    def new_session(self, model: LoadedModel) -> ModelSession:
        """Return a session of the model, whose timings belong to this request."""
        session = model.new_session()
        state = self.scope["state"]
        session.timings.arrived = state["arrived"]
        session.timings.headers = self.scope["headers"]
        state["timings"] = (*state.get("timings", ()), session.timings)
        return session

    async def acquire_model(self, choice: ModelChoice) -> LoadedModel:
        """Return a model whose queue has capacity for one more request; load it first if it isn't loaded.

        Raises:
            DeadlinePassedError: Loading takes longer than the request may; it continues.
            NotFoundError: There is no such model, or no snapshot of the epoch.
            FrameworkUnavailableError: It isn't ready.
            OverloadedError: Its framework's queue is full.
        """
        registry, state = self.services.registry, self.scope["state"]
        try:
            model = registry.find(choice, state)
        except ModelNotLoadedError:
            key, left_s = registry.key(*choice), self.remaining_s
            try:
                async with asyncio.timeout(None if math.isinf(left_s) else left_s):
                    await registry.load(key)
            except TimeoutError:
                raise DeadlinePassedError(f"{key} took longer to load than this request may: send it again") from None
            model = registry.find(choice, state)
        model.batcher.check_capacity()
        return model

    def until_deadline(self) -> CancelledAtDeadline:
        """Return a context whose work is cancelled at the deadline, or when the client disconnects."""
        return self._while_connected(self.remaining_s)

    async def reserve_response(self, nbytes: int) -> None:
        """Reserve memory for a response, in place of that for the body; wait for it until the deadline.

        Raises:
            OverloadedError: All requests together hold too many bytes.
            ClientDisconnect: The client is gone.
        """
        self._release_body()
        memory = self.services.memory
        nbytes = min(nbytes, memory.max_bytes)
        if nbytes > INLINE_BYTES:
            with self._while_connected(math.inf):
                await memory.reserve(nbytes, seconds=self.remaining_s)
            self._response_bytes = nbytes

    def shrink_response(self, nbytes: int) -> None:
        """Release the memory that a rendered response doesn't need."""
        excess = self._response_bytes - (nbytes if nbytes > INLINE_BYTES else 0)
        if excess > 0:
            self.services.memory.release(excess)
            self._response_bytes -= excess

    def release(self) -> None:
        """Release all memory at the end of the request."""
        self._release_body()
        self.shrink_response(0)

    async def read_body(self) -> Body:
        """Return the body once it is complete; errors are those of `app.codecs.body.read_body`.

        Raises:
            TooLargeError: It is larger than all requests together may be.
            OverloadedError: All requests together hold too many bytes.
            SlowBodyError: It takes too long.
            ClientDisconnect: The client is gone.
        """
        limits = self.services.limits
        length = self.header(b"content-length")
        encoding = self.header(b"content-encoding")
        first: Message | None = None
        if encoding is None and length is not None and _is_short(length, limits):
            first = await self.receive_message()
            if first["type"] == "http.request" and not first.get("more_body"):
                body: bytes = first.get("body", b"")
                return body  # complete in one message, as most bodies are
        return await read_body(
            self._chunks(first, length),
            content_length=length,
            content_encoding=encoding,
            limits=limits,
            reserve=self._reserve_more,
        )

    async def _chunks(self, first: Message | None, length: str | None) -> AsyncIterator[bytes]:
        """Yield the pieces of a body, whose length was checked, and reserve memory for them."""
        allowed_s = self.services.settings.transfer_timeout_s
        if length is not None and int(length) > INLINE_BYTES:
            await self._reserve_first(int(length))
        message = first or await self.receive_message()
        while message["type"] == "http.request":
            chunk: bytes = message.get("body", b"")
            if length is None and self._body_bytes:
                self._reserve_more(len(chunk))
            elif length is None:
                await self._reserve_first(len(chunk))
            yield chunk
            if not message.get("more_body"):
                return
            # An empty message arrives when the time is over: see `app.protocol.connection`.
            if self.elapsed_s > allowed_s:
                raise SlowBodyError(f"the body took over {allowed_s:g} s to arrive: send less at a time, or faster")
            message = await self.receive_message()
        raise ClientDisconnect

    async def _reserve_first(self, nbytes: int) -> None:
        seconds = min(self.remaining_s, self.services.settings.transfer_timeout_s)
        await self.services.memory.reserve(nbytes, seconds=seconds)
        self._body_bytes += nbytes

    def _reserve_more(self, nbytes: int) -> None:
        self.services.memory.check_size(self._body_bytes + nbytes)
        self.services.memory.reserve_now(nbytes)
        self._body_bytes += nbytes

    def _release_body(self) -> None:
        nbytes, self._body_bytes = self._body_bytes, 0
        if nbytes:
            self.services.memory.release(nbytes)

    def _while_connected(self, seconds: float) -> CancelledAtDeadline:
        return CancelledAtDeadline(
            self.receive_message,
            seconds,
            deadlines=self.services.deadlines,
            checks=self.services.disconnect_checks,
        )


def join_headers(headers: list[tuple[bytes, bytes]]) -> Mapping[bytes, bytes]:
    """Return headers by their names in lower case."""
    headers_by_name = dict(headers)
    if len(headers_by_name) == len(headers):
        return headers_by_name
    # Several of a name are one list (RFC 9110, section 5.2).
    joined: dict[bytes, bytes] = {}
    for name, value in headers:
        joined[name] = joined[name] + b", " + value if name in joined else value
    return joined


def read_timeout(headers: Mapping[bytes, bytes], settings: Settings) -> float:
    """Return the seconds that a request may take, by the settings and by its X-Request-Timeout.

    Raises:
        InvalidValueError: The header isn't a number of seconds.
    """
    allowed_s = settings.request_timeout_s or math.inf
    requested = headers.get(b"x-request-timeout")
    return allowed_s if requested is None else min(allowed_s, _parse_seconds(requested.decode("latin-1")))


def _is_short(length: str, limits: Limits) -> bool:
    return len(length) < _SHORT_LENGTH_DIGITS and length.isdecimal() and int(length) <= limits.max_body_bytes


def _parse_seconds(text: str) -> float:
    try:
        seconds = math.nan if "_" in text else float(text)  # Python reads 5_0 as 50
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        raise invalid_value("header.X-Request-Timeout", f"is {truncated(text)}: expected a number of seconds above 0")
    return seconds
