"""A filter on the file descriptor of stderr, for messages of C++ libraries that no log level suppresses."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_STDERR: Final = 2


@contextmanager
def drop_stderr_lines(pattern: str) -> Iterator[None]:
    """Context manager that drops matching lines that this process writes to stderr, and passes on the others.

    Args:
        pattern: Regular expression, searched in each line.
    """
    matcher = re.compile(pattern.encode())
    try:
        real = os.dup(_STDERR)
    except OSError:  # stderr is closed: nothing is shown anyway
        yield
        return
    reading, writing = os.pipe()
    os.dup2(writing, _STDERR)
    os.close(writing)
    thread = threading.Thread(target=_forward, args=(reading, real, matcher), daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.dup2(real, _STDERR)  # closes the pipe's last writing end, which ends the thread
        thread.join()
        os.close(real)


def _forward(reading: int, real: int, matcher: re.Pattern[bytes]) -> None:
    with os.fdopen(reading, "rb") as lines:
        for line in lines:
            if not matcher.search(line):
                os.write(real, line)
