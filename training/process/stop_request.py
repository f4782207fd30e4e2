"""Graceful interruption: the first SIGINT or SIGTERM stops after the epoch, the second exits immediately."""

import os
import signal
from collections.abc import Callable
from threading import Thread
from types import TracebackType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Context manager for the main thread: the first signal only sets `number`, which the training loop checks."""

    number: int | None = None
    """Number of the first signal; the exit code is 128 higher."""

    def __init__(self, announce: Callable[[signal.Signals], None]) -> None:
        """Set the callback for the first signal; it runs once, in another thread."""
        self._announce = announce

    def __enter__(self) -> Self:
        """Install handlers for both signals."""
        # Python runs a handler between bytecode instructions: only after a compiled epoch. But it writes the
        # signal's number to this pipe immediately, and our own thread reads it.
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._write_end, False)
        self._previous_fd = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        self._previous = {number: signal.signal(number, self._note) for number in SIGNALS}
        self._thread = Thread(target=self._watch, daemon=True, name="signals")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Restore the previous handlers."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._previous_fd)
        os.close(self._write_end)
        self._thread.join()
        os.close(self._read_end)

    def _note(self, number: int, _: object) -> None:
        self.number = self.number or number

    def _watch(self) -> None:
        first = True
        while number := os.read(self._read_end, 1):
            if number[0] not in SIGNALS:
                continue
            if not first:
                os._exit(128 + number[0])
            first = False
            self._announce(signal.Signals(number[0]))
