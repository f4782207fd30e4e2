"""Decides whether work on a body or a response runs in the event loop or in a thread. Does none itself."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

INLINE_BYTES: Final = 64 * 1024
"""Longer text is parsed or written in a thread; for less, handing it over would take longer than doing it."""

INLINE_NPY_BYTES: Final = 4 * 2**20
"""The same of npy, whose numbers are not parsed: more than 1,024 images of MNIST in float32."""


def should_offload(nbytes: int, *, is_npy: bool = False) -> bool:
    """Return whether so many bytes are parsed or written in a thread."""
    return nbytes > (INLINE_NPY_BYTES if is_npy else INLINE_BYTES)


async def run_maybe_in_thread(work: Callable[[], T], *, in_thread: bool) -> T:
    """Run a function, in a thread if the data is large."""
    return await asyncio.to_thread(work) if in_thread else work()
