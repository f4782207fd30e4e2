"""A client's connection: uvicorn's, with bounds on headers and on time, and an end that loses no request.

uvicorn bounds neither what comes before a request's headers end, nor how long a client takes to send or to read. Time
is looked at once a second for all connections together, so that requests need no timers of their own.
"""

import asyncio
import select
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from app.errors import problem
from app.middleware import OPEN_PATHS, fresh_request_id
from app.whole_answers import WholeAnswers

MAX_HEADERS: Final = 100
"""Most headers of a request: a short one takes twenty times its length in memory."""

_TOO_MANY: Final = f"the request has more than {MAX_HEADERS} headers: send fewer"

_LINGER_S: Final = 5
"""How long the rest of a body is read and thrown away once its request is answered."""

_GRACE_S: Final = 0.5
"""How long idle connections are kept for requests that are on their way when the server begins to stop."""

_OPEN_URLS: Final = tuple(path.encode() for path in OPEN_PATHS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """How much one client, and all of them together, may hold."""

    max_connections: int
    max_header_bytes: int
    """Of a request's address and headers together."""

    headers_timeout_s: float
    """Until a request's headers have come, from its first byte or the connection's start."""

    transfer_timeout_s: float
    """Until a request's body has come, and again until its answer is taken."""


class Connection(HttpToolsProtocol):
    """A client's connection."""

    # Python finds only some thirty attributes of an object in its fast way, and uvicorn's own are almost as many.
    __slots__ = (
        "_awaited",
        "_awaited_since",
        "_chunk_bytes",
        "_header_bytes",
        "_is_crowded",
        "_is_draining",
        "_is_refused",
        "_limits",
        "_max_header_bytes",
        "_on_refused",
        "_refusal",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: ConnectionLimits,
        on_refused: Callable[[int], None],
    ) -> None:
        """Begin; `on_refused` is told the status of each answer that the application doesn't give."""
        super().__init__(config, server_state, app_state, _loop)
        self._on_refused = on_refused
        self._limits = limits
        self._max_header_bytes = limits.max_header_bytes
        self._is_crowded = False
        self._is_draining = False
        self._is_refused = False
        self._chunk_bytes = 0
        self._header_bytes = 0
        self._refusal: tuple[int, str] | None = None
        self._awaited: object = None
        self._awaited_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note whether there are too many."""
        super().connection_made(transport)
        self._is_crowded = len(self.connections) > self._limits.max_connections

    def data_received(self, data: bytes) -> None:
        """Take what has come, unless it makes the headers too long; of a refused request nothing more is taken."""
        if self._is_refused:
            return
        self._chunk_bytes = len(data)
        super().data_received(data)
        if self._is_in_headers:
            self._count_unfinished_headers()
        else:
            self._header_bytes = 0

    def on_headers_complete(self) -> None:
        """Begin to answer, unless headers are too many, too long or lack Host, or the connection is one too many."""
        # What is short with all else that came at once needs no counting.
        if (
            self._is_crowded
            or len(self.headers) > MAX_HEADERS
            or self._count_hosts() != 1
            or self._header_bytes + self._chunk_bytes > self._max_header_bytes
        ):
            self._check_headers()
        super().on_headers_complete()
        if self._is_draining:
            self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        """Answer what can't be parsed, or what parsing was stopped for."""
        self._refuse(*(self._refusal or (400, f"{msg.lower().rstrip('.')}: send a whole request of HTTP/1.1")))

    def check(self, now: float) -> None:
        """Cut the client off if the server has waited for it too long; called about once a second."""
        awaited, limit_s = self._find_awaited()
        if awaited is not self._awaited:
            self._awaited = awaited
            self._awaited_since = now
        late_s = now - self._awaited_since - limit_s
        if awaited is None or late_s <= 0:
            return
        if awaited is self.scope and self._is_in_headers:
            self._refuse(408, f"the headers of the request took over {limit_s:g} s: send them at once")
        elif self._is_reading_body and late_s <= _LINGER_S:
            # Wakes whoever reads the body, and looks at the clock.
            self.cycle.message_event.set()
        else:
            self.transport.abort()

    def shutdown(self) -> None:
        """Close the connection once all that was sent before is answered; may be called again and again."""
        if self._is_draining:
            return
        self._is_draining = True
        if self.is_idle:
            self.loop.call_later(_GRACE_S, self._close_if_idle)
        else:
            self.cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        cycle.send = WholeAnswers(cycle).send  # type: ignore[method-assign]  # uvicorn lets no other cycle be chosen
        super()._start_asgi_task(cycle, app)

    @property
    def is_idle(self) -> bool:
        """Whether no request waits for its answer."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def _is_in_headers(self) -> bool:
        return self.cycle is None or self.cycle.scope is not self.scope

    @property
    def _is_reading_body(self) -> bool:
        return not self.is_idle and self.cycle.more_body

    def _find_awaited(self) -> tuple[object, float]:
        """Return an object that stands for what the client is to do next, and how long it may take; or None."""
        if self._is_refused:
            return self.transport, _LINGER_S
        if self.flow.write_paused or self.transport.is_closing():
            return self.flow, self._limits.transfer_timeout_s
        if self._is_reading_body:
            return self.cycle, self._limits.transfer_timeout_s
        # Between two requests uvicorn has a timer of its own.
        if not self.is_idle or self.timeout_keep_alive_task is not None:
            return None, 0
        if self._is_in_headers:
            return self.scope or self, self._limits.headers_timeout_s
        return self.cycle, _LINGER_S

    def _count_unfinished_headers(self) -> None:
        if self._is_refused:
            return
        # Of the first piece some may belong to the request before.
        is_first = self.cycle is not None and not self._header_bytes
        self._header_bytes += 1 if is_first else self._chunk_bytes
        if self._header_bytes > self._max_header_bytes:
            self._refuse(431, self._too_long())
        elif len(self.headers or ()) > MAX_HEADERS:
            self._refuse(431, _TOO_MANY)

    def _check_headers(self) -> None:
        if self._is_crowded and self.url not in _OPEN_URLS:
            self._stop_parsing(503, "the server has as many connections as it takes: try again in a second")
        if len(self.headers) > MAX_HEADERS:
            self._stop_parsing(431, _TOO_MANY)
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self._max_header_bytes:
            self._stop_parsing(431, self._too_long())
        # RFC 9112, section 3.2: a proxy before this server may have taken another of several for the right one.
        hosts = self._count_hosts()
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() != "1.0"):
            self._stop_parsing(400, "the request has no Host header, or several: send one")

    def _count_hosts(self) -> int:
        return [name for name, _ in self.headers].count(b"host")

    def _close_if_idle(self) -> None:
        if not self.is_idle or self.transport.is_closing():
            return
        poll = select.poll()
        poll.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        if poll.poll(0):  # it has come, and is read next
            self.loop.call_later(_GRACE_S, self._close_if_idle)
        else:
            self.transport.close()

    def _stop_parsing(self, status: int, detail: str) -> NoReturn:
        # The parser stops at an exception, and the request is answered by `send_400_response`.
        self._refusal = (status, detail)
        raise ValueError(detail)

    def _too_long(self) -> str:
        return f"the headers of the request are over {self._max_header_bytes} bytes: send fewer or shorter ones"

    def _refuse(self, status: int, detail: str) -> None:
        """Answer without the application, and end the connection once the client has had time to read that.

        To close it at once would reset what the client still sends, and with that the answer.
        """
        self._is_refused = True
        self._on_refused(status)
        if self._is_in_headers and self.headers:
            self.headers.clear()  # they may be many
        if not self.is_idle:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        request_id = fresh_request_id()
        response = problem(status, detail, request_id=request_id, headers={"X-Request-ID": request_id})
        if status == 503:
            response.headers["Retry-After"] = "1"
        response.headers["Connection"] = "close"
        lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
        self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", bytes(response.body)]))
        self.transport.write_eof()
