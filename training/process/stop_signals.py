"""Turns SIGINT and SIGTERM into an exception that ends a command.

Imports almost nothing: until the handlers are installed, Ctrl-C shows Python's traceback.
"""

import os
import signal
import sys

_REPEAT_S = 0.05


class Stopped(BaseException):
    """SIGINT or SIGTERM was received; a BaseException, so that `except Exception` doesn't catch it."""

    def __init__(self, number: int) -> None:
        """Keep the signal's number."""
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """The exit code of a process that a signal has ended, as shells report it."""
        return 128 + self.number


def raise_stopped(number: int, _: object) -> None:
    """Handle the first signal by raising `Stopped`; a second one kills the process."""
    signal.signal(number, signal.SIG_DFL)
    raise Stopped(number)


def handle_signals() -> None:
    """Install handlers that raise `Stopped` in the main thread on SIGINT and SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # ignored signals stay ignored, as under nohup
            signal.signal(number, raise_stopped)
    sys.unraisablehook = repeat_stopped


def repeat_stopped(unraisable: "sys.UnraisableHookArgs") -> None:
    """Send a signal again whose exception Python discarded, as it does in destructors and garbage collector callbacks.

    JAX's import runs such callbacks.
    """
    error = unraisable.exc_value
    if not isinstance(error, Stopped):
        sys.__unraisablehook__(unraisable)
        return
    signal.signal(error.number, raise_stopped)
    from threading import Timer  # noqa: PLC0415 -- rarely needed

    # Later and from another thread: within this hook the exception would be discarded again.
    timer = Timer(_REPEAT_S, os.kill, (os.getpid(), error.number))
    timer.daemon = True
    timer.start()
