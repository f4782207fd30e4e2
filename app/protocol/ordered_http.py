"""Responds to pipelined requests in their order, and rejects a malformed one last. Parses none, limits no time."""

import asyncio
import time
from typing import Any, Final, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.observability.access_log import log_rejection
from app.observability.request_ids import fresh_request_id, read_request_id
from app.problem_details import problem_response
from app.protocol.forwarded import TrustedProxies, apply_forwarded
from app.protocol.request_parser import RequestParser
from app.protocol.response_writer import SingleWriteSender, serialize_response

_RETRY_AFTER: Final = {503: "1"}


class OrderedHttpProtocol(RequestParser):
    """A connection that responds to pipelined requests in order, even if a malformed one follows."""

    __slots__ = (
        "_has_ended",
        "_is_draining",
        "_logs_rejections",
        "_proxies",
        "_root_path",
        "_running",
        "_trusts_peer",
    )

    def __init__(
        self,
        *arguments: Any,
        proxies: TrustedProxies | None = None,
        root_path: str = "",
        logs_rejections: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._proxies = proxies or TrustedProxies(())
        self._root_path = root_path
        self._logs_rejections = logs_rejections
        self._trusts_peer = self._is_draining = False
        self._running: RequestResponseCycle | None = None
        """The request whose response is next; those after it are in uvicorn's pipeline."""

        self._has_ended = False
        """True once nothing more may be written."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio declares its base class
        """Initialize the connection, and note whether the client is a trusted proxy."""
        super().connection_made(transport)
        self._metrics.connection_opened()
        self._trusts_peer = self.client is not None and self.client[0] in self._proxies

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel all requests; uvicorn would cancel only the last, and write the responses of the others."""
        super().connection_lost(exc)
        self._metrics.connection_closed()
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            self._disconnect(self._running)

    def on_response_complete(self) -> None:
        """Start the next pipelined request, or write a rejection that had to wait.

        uvicorn would start a timer for idle connections too; time limits are `BoundedConnection`'s.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self._rejection is not None:
            self._write_rejection(*self._rejection)

    def reject(self, status: int, detail: str) -> None:
        """Respond without the application, once the requests before have their responses (RFC 9112, section 9.3.2)."""
        self._rejection = (status, detail)
        self._metrics.count_rejected_request(status)
        if self._in_headers and self.headers:
            self.headers.clear()  # there may be many pipelined requests
        elif self._in_message and not self._in_headers:
            self._drop_broken_request()
        if self.is_idle and not self._has_ended and not self.transport.is_closing():
            self._write_rejection(status, detail)

    @property
    def is_idle(self) -> bool:
        """True if no request waits for its response."""
        return (self._running is None or self._running.response_complete) and not self.pipeline

    def _start_request(self) -> None:
        """Start the parsed request, or queue it behind earlier ones."""
        self._start_by_uvicorn({})

    def _start_by_uvicorn(self, state: dict[str, Any]) -> None:
        """Have uvicorn make the scope of the parsed request, with this state, and start or queue it."""
        url, headers = self.url, self.headers
        HttpToolsProtocol.on_message_begin(self)
        self.url, self.headers, self.scope["headers"] = url, headers, headers
        self.scope["state"] |= state
        expects = (b"expect", b"100-continue") in [(name, value.lower()) for name, value in headers]
        self.expect_100_continue = expects and self.parser.get_http_version() != "1.0"  # RFC 9110, section 10.1.1
        HttpToolsProtocol.on_headers_complete(self)

    def _prepare_scope(self, scope: dict[str, Any]) -> None:
        """Set a request's arrival time and ID, unless they are set, and what a trusted proxy forwards."""
        state = scope["state"]
        if "arrived" not in state:
            state |= {"arrived": time.perf_counter(), "request_id": read_request_id(scope["headers"])}
        if self._trusts_peer or self._root_path:
            self._apply_forwarded(scope)

    def _apply_forwarded(self, scope: dict[str, Any]) -> None:
        apply_forwarded(scope, root_path=self._root_path, proxy=self._proxies if self._trusts_peer else None)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Start the application's task for a request."""
        self._running = cycle
        self._prepare_scope(cast("dict[str, Any]", cycle.scope))
        if self._is_draining and not self.pipeline and self._rejection is None:
            cycle.keep_alive = False
        cycle.send = SingleWriteSender(cycle).send  # type: ignore[method-assign]  # uvicorn lets no other cycle be chosen
        super()._start_asgi_task(cycle, app)

    @staticmethod
    def _disconnect(cycle: RequestResponseCycle) -> None:
        """Notify the application that the client has disconnected."""
        cycle.disconnected = True
        cycle.message_event.set()

    def _drop_broken_request(self) -> None:
        """Drop the request whose body is being parsed: the rejection is its response, unless it has one already."""
        broken = self.cycle
        if broken is not self._running:
            self.pipeline.popleft()
        elif not broken.response_started:
            self._disconnect(broken)
            self._running = None
        elif broken.response_complete:
            self._has_ended = True
            self.transport.write_eof()
        else:
            self._has_ended = True
            self.transport.abort()

    def _write_rejection(self, status: int, detail: str) -> None:
        """Write the rejection, and end the connection once the client has had time to read it.

        Closing at once would reset the connection while the client still sends, and lose the response.
        """
        self._has_ended = True
        request_id = fresh_request_id()
        headers = {"Retry-After": _RETRY_AFTER[status]} if status in _RETRY_AFTER else None
        response = problem_response(status, detail, request_id=request_id, headers=headers)
        lines = [*self.server_state.default_headers, *response.raw_headers, (b"x-request-id", request_id.encode())]
        self.transport.write(serialize_response(status, lines, bytes(response.body), close=True))
        self.transport.write_eof()
        if self._logs_rejections:
            log_rejection(status, detail, request_id=request_id, client=self.client[0] if self.client else None)
