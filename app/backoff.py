"""How long to wait before the next attempt at something that fails again and again. Waits for nothing itself."""

import math
import time
from typing import Final

LONGEST_BACKOFF_S: Final = 60
"""Longest wait; what has worked for longer begins with a second again."""


class Backoff:
    """A second, then twice as long each time."""

    def __init__(self) -> None:
        self._wait_s = 0
        self._last = -math.inf

    def next_s(self) -> int:
        """Return the next wait in seconds."""
        now = time.monotonic()
        has_worked = now - self._last > self._wait_s + LONGEST_BACKOFF_S
        self._wait_s = 1 if has_worked else min(2 * self._wait_s, LONGEST_BACKOFF_S) or 1
        self._last = now
        return self._wait_s
