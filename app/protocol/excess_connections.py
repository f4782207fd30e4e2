"""Connections over the limit, open for a 503 or a health check; they have a limit of their own. Accepts none."""

from typing import Protocol


class Closable(Protocol):
    """A connection that can be rejected and closed."""

    @property
    def is_idle(self) -> bool:
        """True if no request waits for its response."""
        ...

    def evict(self) -> None:
        """Close the connection, with a rejection if it hasn't had one."""
        ...


class ExcessConnections:
    """The connections over the limit, oldest first.

    Without a limit of their own, clients that keep rejected connections open would use up the process's open files, and
    the kernel would reset new connections, those of health checks too.
    """

    def __init__(self, max_open: int) -> None:
        self._max_open = max_open
        self._open: dict[Closable, None] = {}

    def add(self, connection: Closable) -> None:
        """Add a connection; evict the oldest idle one if they are too many."""
        self._open[connection] = None
        if len(self._open) > self._max_open:
            evicted = next((candidate for candidate in self._open if candidate.is_idle), connection)
            del self._open[evicted]
            evicted.evict()

    def discard(self, connection: Closable) -> None:
        """Remove a closed connection."""
        self._open.pop(connection, None)
