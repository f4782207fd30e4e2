"""SIGINT and SIGTERM as a wish to stop: the first is noted, the second ends the process at once."""

import os
import signal
from collections.abc import Callable
from threading import Thread
from types import TracebackType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """While it is entered, in the main thread, the first signal only sets `number`, from which a loop can tell."""

    number: int | None = None
    """The signal that came first; 128 more is the exit status that tells of it."""

    def __init__(self, announce: Callable[[signal.Signals], None]) -> None:
        """Take what to call once, from another thread, when the first signal arrives."""
        self._announce = announce

    def __enter__(self) -> Self:
        """Take over both signals."""
        # Python runs a handler between two of its own instructions: not before a compiled epoch is over. It writes the
        # signal's number to this pipe at once, though, where a thread of our own sees it.
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
        """Give the signals back."""
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
