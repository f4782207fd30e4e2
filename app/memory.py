"""How many bytes of bodies and answers all requests together hold: counted, and bounded."""

import ctypes
from typing import Final

from app.exceptions import OverloadedError

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
"""The numbers of those parameters in glibc's malloc.h."""

_LARGE_BYTES: Final = 8 * 2**20
"""More than a batch of 1,024 images takes, and less than a block of a large picture."""


def give_large_blocks_back() -> None:
    """Have large blocks of memory go back to the system as soon as they are free, and smaller ones stay.

    Of its own accord glibc keeps large ones for each thread, once it has seen some: a few large pictures would stay for
    good. Smaller ones, told only of the large, it would give back each time, and each batch get them anew page by page.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_TRIM_THRESHOLD, 2 * _LARGE_BYTES)


class Memory:
    """The room for bodies and answers, of which each request takes what it needs and gives it back at its end."""

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._taken = 0

    def take(self, nbytes: int) -> None:
        """Take room.

        Raises:
            OverloadedError: There isn't so much left.
        """
        if self._taken + nbytes > self._max_bytes:
            raise OverloadedError(
                f"the server holds as many bodies and answers as it has room for ({self._max_bytes} bytes): "
                "send this again in a second, or less at a time",
                retry_after_s=1,
            )
        self._taken += nbytes

    def give_back(self, nbytes: int) -> None:
        """Give back what was taken."""
        self._taken -= nbytes
