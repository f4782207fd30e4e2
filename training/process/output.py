"""The output of a command: output that can't be written ends it without a traceback."""

import errno
import os
import sys
from collections.abc import Callable
from typing import Final

_UNWRITABLE: Final = {errno.ENOSPC, errno.EDQUOT, errno.EPIPE}


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
            if sys.stdout is not None:  # it is where the caller has closed it
                sys.stdout.flush()
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        # What is left in the buffer would be written once more at exit, and fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno != errno.EPIPE:
            report(f"error: the output can't be written: {error.strerror}; free some space, or send it elsewhere")
        return 1
