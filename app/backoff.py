"""Exponential backoff: seconds to wait before retrying something that keeps failing."""

import math
import time
from typing import Final

LONGEST_BACKOFF_S: Final = 60
"""Maximum wait unless another is given. After a success that lasts longer, the next wait is one second again."""

LONGEST_BACKEND_BACKOFF_S: Final = 4
"""A backend on another server loads by itself, however long that takes; asking whether it is ready costs little."""


class Backoff:
    """Waits of 1, 2, 4, ... seconds, up to `longest_s`."""

    def __init__(self, longest_s: int = LONGEST_BACKOFF_S) -> None:
        self._longest_s = longest_s
        self._wait_s = 0
        self._last = -math.inf

    def next_s(self) -> int:
        """Return the next wait in seconds."""
        now = time.monotonic()
        has_worked = now - self._last > self._wait_s + self._longest_s
        self._wait_s = 1 if has_worked else min(2 * self._wait_s, self._longest_s) or 1
        self._last = now
        return self._wait_s
