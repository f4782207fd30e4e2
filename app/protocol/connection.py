"""A client's connection with limits on time, and a graceful shutdown; its base classes parse and respond.

uvicorn doesn't bound the time that a client takes to send or to read. Time limits are checked once a second for all
connections together, so that requests need no timers.
"""

import asyncio
import select
from enum import Enum, auto
from typing import Any, Final

from app.protocol.ordered_http import OrderedHttpProtocol
from app.protocol.request_parser import TOO_MANY_CONNECTIONS

_LINGER_S: Final = 5
"""Seconds for which the rest of a body is read and discarded after the response."""

_GRACE_S: Final = 0.5
"""Seconds for which idle connections are kept at shutdown, for requests in transit."""


class _Wait(Enum):
    """The client action for which the server waits."""

    HEADERS = auto()
    BODY = auto()
    DISCARDED_BODY = auto()
    NEXT_REQUEST = auto()
    READER = auto()
    END = auto()


class BoundedConnection(OrderedHttpProtocol):
    """A client's connection."""

    __slots__ = ("_wait", "_wait_since")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._wait: tuple[_Wait, int] | None = None
        self._wait_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio declares its base class
        """Register a connection over the limit."""
        super().connection_made(transport)
        if self._over_limit:
            self._limits.excess.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel all requests, and unregister the connection."""
        super().connection_lost(exc)
        self._limits.excess.discard(self)

    def enforce_timeouts(self, now: float) -> None:
        """Close the connection if the server has waited for the client too long; called about once a second."""
        wait, limit_s = self._current_wait()
        if wait != self._wait:
            self._wait = wait
            self._wait_since = now
        late_s = now - self._wait_since - limit_s
        if wait is None or late_s <= 0:
            return
        kind = wait[0]
        if kind is _Wait.HEADERS and self._in_message:
            self.reject(408, f"the headers of the request took over {limit_s:g} s: send them at once")
        elif kind is _Wait.BODY and late_s <= _LINGER_S:
            # Wakes the coroutine that reads the body, which checks the clock.
            self.cycle.message_event.set()
        elif kind is _Wait.NEXT_REQUEST:
            if not self._has_unread_bytes():
                self.transport.close()
        else:
            self.transport.abort()

    def shutdown(self) -> None:
        """Close the connection once all requests received before have their responses; may be called repeatedly."""
        if self._is_draining:
            return
        self._is_draining = True
        if self.is_idle:
            self.loop.call_later(_GRACE_S, self._close_if_idle)
        elif self._rejection is None:
            self.cycle.keep_alive = False

    def evict(self) -> None:
        """Close this connection over the limit, with a rejection if it hasn't had one."""
        if not self._has_ended:
            self._metrics.count_rejected_connection()
            self.reject(503, TOO_MANY_CONNECTIONS)
        self.transport.close()

    def _current_wait(self) -> tuple[tuple[_Wait, int] | None, float]:
        """Return which action of the client is awaited, in which of its requests, and the action's time limit."""
        limits = self._limits
        kind: _Wait | None = None
        limit_s: float = _LINGER_S
        if self._has_ended:
            kind = _Wait.END
        elif self.flow.write_paused or self.transport.is_closing():
            kind, limit_s = _Wait.READER, limits.transfer_timeout_s
        elif not self.is_idle:
            if self._in_message and self._running is self.cycle:
                kind, limit_s = _Wait.BODY, limits.transfer_timeout_s
        elif not self._messages or (self._in_message and self._in_headers):
            kind, limit_s = _Wait.HEADERS, limits.headers_timeout_s
        elif self._in_message:
            kind = _Wait.DISCARDED_BODY
        else:
            kind, limit_s = _Wait.NEXT_REQUEST, self.timeout_keep_alive
        return None if kind is None else (kind, self._messages), limit_s

    def _close_if_idle(self) -> None:
        if not self.is_idle or self.transport.is_closing():
            return
        if self._has_unread_bytes():
            self.loop.call_later(_GRACE_S, self._close_if_idle)
        else:
            self.transport.close()

    def _has_unread_bytes(self) -> bool:
        """Return whether bytes have arrived that the event loop reads next."""
        poll = select.poll()
        poll.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))
