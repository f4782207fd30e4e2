"""Memory budget: the bytes of bodies and responses that all requests hold together, counted and bounded."""

import asyncio
import math
from collections import deque
from typing import Final

from app.errors import OverloadedError, TooLargeError

MAX_WAITING: Final = 32
"""Maximum requests that wait for memory; one that waits for its response's memory holds the arrays meanwhile."""


class MemoryBudget:
    """The bytes that requests may hold, and the queue of requests that wait for some."""

    def __init__(self, *, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._reserved = 0
        self._line: deque[tuple[int, asyncio.Future[None]]] = deque()

    def check_size(self, nbytes: int) -> None:
        """Raise a `TooLargeError` if a body of so many bytes is larger than the budget."""
        if nbytes > self.max_bytes:
            raise TooLargeError(
                f"the body is over {self.max_bytes} bytes, the most that all requests hold: send less at a time"
            )

    def reserve_now(self, nbytes: int) -> None:
        """Reserve bytes without waiting, ahead of the line.

        For requests that hold some already: if they waited for more, all could wait for each other.

        Raises:
            OverloadedError: Fewer bytes are left.
        """
        if self._reserved + nbytes > self.max_bytes:
            raise self._overloaded()
        self._reserved += nbytes

    async def reserve(self, nbytes: int, *, seconds: float) -> None:
        """Reserve bytes, first come, first served; wait for at most so many seconds.

        Raises:
            TooLargeError: The budget is smaller.
            OverloadedError: Too many requests wait, or the time is over.
        """
        if not self._line and self._reserved + nbytes <= self.max_bytes:
            self._reserved += nbytes
            return
        self.check_size(nbytes)
        if len(self._line) >= MAX_WAITING:
            raise self._overloaded()
        place = (nbytes, asyncio.get_running_loop().create_future())
        self._line.append(place)
        try:
            async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                await place[1]
        except TimeoutError:
            self._leave(place)
            raise self._overloaded() from None
        except asyncio.CancelledError:
            self._leave(place)
            raise

    def release(self, nbytes: int) -> None:
        """Release bytes, to the first in line."""
        self._reserved -= nbytes
        self._admit()

    def _admit(self) -> None:
        while self._line and self._reserved + self._line[0][0] <= self.max_bytes:
            nbytes, admitted = self._line.popleft()
            if not admitted.cancelled():  # its request hasn't left the line yet
                self._reserved += nbytes
                admitted.set_result(None)

    def _leave(self, place: tuple[int, "asyncio.Future[None]"]) -> None:
        """Leave the line; bytes that were reserved at the same moment are released."""
        nbytes, admitted = place
        if place in self._line:
            self._line.remove(place)
            self._admit()
        elif not admitted.cancelled():
            self.release(nbytes)

    def _overloaded(self) -> OverloadedError:
        return OverloadedError(
            f"the server holds as many bytes of bodies and responses as it may ({self.max_bytes}): "
            "send this again in a second, or less at a time",
            retry_after_s=1,
        )
