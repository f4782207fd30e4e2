"""A log handler that writes the lines of one iteration of the event loop in one system call."""

import asyncio
import logging
from contextlib import suppress


class BatchingHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic for type checkers only
    """Writes to stderr: what the event loop's thread logs below WARNING once an iteration, all else at once.

    A write for each request takes a fifth of the time of a request; and while it lasts, another thread may take the
    interpreter.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record's line until the end of the iteration, or write it behind those that are kept."""
        try:
            self._lines.append(self.format(record) + self.terminator)
        except Exception:  # noqa: BLE001 -- as in `StreamHandler.emit`
            self.handleError(record)
        loop = _running_loop() if record.levelno < logging.WARNING else None
        if loop is None:
            self.flush()
        elif len(self._lines) == 1:
            loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write the lines that are kept; they are lost if stderr is closed."""
        assert self.lock is not None
        with self.lock, suppress(OSError, ValueError):
            lines, self._lines = self._lines, []
            self.stream.write("".join(lines))
            self.stream.flush()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
