"""The output of a command: output that can't be written ends it without a traceback."""

import errno
import os
import sys
from collections.abc import Callable
from typing import Final

_UNWRITABLE: Final = {errno.ENOSPC, errno.EDQUOT, errno.EPIPE}

_STDERR: Final = 2


def open_closed_streams() -> None:
    """Open the null device in place of standard streams that the caller has closed, for this process and its children.

    A file or socket would otherwise get the number of one, and with it what libraries write to stdout or stderr.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(_STDERR, "w", encoding="utf-8")


def run_and_flush(command: Callable[[], int], report: Callable[[str], None]) -> int:
    """Run a command, write its whole output, and return its exit code; 1 if the output can't be written.

    Args:
        command: Runs it, and returns its exit code.
        report: Receives a line about a full disk; a reader that has seen enough is no error.
    """
    try:
        try:
            return command()
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        # What is left in the buffer would be written once more at exit, and fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno != errno.EPIPE:
            report(f"error: the output can't be written: {error.strerror}; free some space, or send it elsewhere")
        return 1
