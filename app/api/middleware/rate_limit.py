"""The rate limit of each client: a sliding window counter. Knows no request."""

import math

from limits import parse


class RateLimit:
    """The number of requests of each client in the current window of time and, in part, in the one before.

    The algorithm is that of `SlidingWindowCounterRateLimiter` in `limits`, whose storages lock, log and expire each
    count by itself: here all counts of a window are dropped together.
    """

    def __init__(self, text: str) -> None:
        """Parse a limit such as `10/second`; the settings have checked it."""
        self._limit = parse(text)
        self._amount = self._limit.amount
        self._window_s = self._limit.get_expiry()
        self._window = 0
        self._counts: dict[str, int] = {}
        self._counts_before: dict[str, int] = {}

    def __str__(self) -> str:
        """Return the limit in words."""
        return str(self._limit)

    def admit(self, client: str, now: float) -> bool:
        """Count a request and return True, unless the client has sent as many as it may; `now` is in seconds."""
        position = now / self._window_s
        window = int(position)
        if window != self._window:
            self._counts_before = self._counts if window == self._window + 1 else {}
            self._counts = {}
            self._window = window
        count = self._counts.get(client, 0)
        before = self._counts_before.get(client, 0)
        if count + int(before * (window + 1 - position)) >= self._amount:
            return False
        self._counts[client] = count + 1
        return True

    def seconds_until_admitted(self, client: str, now: float) -> int:
        """Return the whole seconds, at least 1, after which a client that wasn't admitted may send again."""
        left_s = self._window_s * (self._window + 1) - now
        before = self._counts_before.get(client, 0)
        return max(1, math.ceil(left_s % (self._window_s / before) if before else left_s))
