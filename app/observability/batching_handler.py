"""A log handler that writes the lines of one iteration of the event loop in one system call."""

import asyncio
import logging
from contextlib import suppress


class BatchingHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic for type checkers only
    """Writes to stderr: lines below WARNING from an event loop's thread once an iteration, all others at once.

    A write per request takes a fifth of the request's time; and during the write, another thread may take the
    interpreter lock.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []
        self._flushing: asyncio.AbstractEventLoop | None = None
        """The event loop that will flush at the end of its iteration."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record's line until the end of the iteration, or write it behind those that are kept."""
        try:
            self._lines.append(self.format(record) + self.terminator)
        except Exception:  # noqa: BLE001 -- as in `StreamHandler.emit`
            self.handleError(record)
        loop = _running_loop() if record.levelno < logging.WARNING else None
        if loop is None:
            self.flush()
        elif loop is not self._flushing:
            self._flushing = loop
            loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write the lines that are kept; they are lost if stderr is closed."""
        assert self.lock is not None
        with self.lock, suppress(OSError, ValueError):
            lines, self._lines, self._flushing = self._lines, [], None
            if lines:
                self.stream.write("".join(lines))
                self.stream.flush()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
