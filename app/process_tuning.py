"""Process-wide tuning: garbage collector, malloc, threads and CPU affinity; and the exit of the process."""

import ctypes
import gc
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

_GC_THRESHOLD: Final = 3000
"""Generation-0 threshold of the garbage collector: allocations minus deallocations before a collection.

About ten open requests reach Python's 700. At 20,000 a collection is so long that the slowest requests take twice as
long.
"""

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
"""Parameter numbers of `mallopt`, from glibc's malloc.h."""

_LARGE_BYTES: Final = 8 * 2**20
"""More than a batch of 1,024 images needs, and less than a buffer of a large image file."""


def freeze_gc() -> None:
    """Collect garbage once, and exempt the remaining objects from later collections.

    A framework has hundreds of thousands of objects that live as long as the process. Scanning them in each collection
    took a fifth of the time of requests of one image. The service without a framework has enough for a pause of 0.1 s.
    """
    gc.collect()
    gc.freeze()


@contextmanager
def paused_gc() -> Iterator[None]:
    """Run no garbage collection in this process, for the import of a framework.

    A collection within `ast.parse` calls JAX's callback, and so lets another thread parse, whereupon the first fails
    with a SystemError (https://github.com/python/cpython/issues/106905).
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def raise_gc_threshold() -> None:
    """Run the cyclic garbage collector less often (generation-0 threshold 3,000), not at every few requests."""
    gc.set_threshold(_GC_THRESHOLD)


def tune_malloc() -> None:
    """Set glibc's mmap and trim thresholds, so that large buffers are returned to the OS and small ones are reused.

    By default glibc raises its mmap threshold when large blocks are freed, and then keeps them per thread: the buffers
    of a few large images would never be returned. A fixed mmap threshold alone lowers the trim threshold, and every
    batch would fault in its memory page by page.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_TRIM_THRESHOLD, 2 * _LARGE_BYTES)


def pin_to_core_share(worker: int, workers: int) -> None:
    """Pin this process to its share of the cores; call it before any framework is imported."""
    if not hasattr(os, "sched_setaffinity"):
        return  # macOS has no CPU affinity
    cores = sorted(os.sched_getaffinity(0))
    # With more workers than cores, several share one.
    os.sched_setaffinity(0, cores[worker % len(cores) :: workers])


def count_threads(workers: int = 1) -> int:
    """Return the maximum threads of a framework: a worker's share of the cores, at least one."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))  # `pin_to_core_share` was called
    return max(1, (os.cpu_count() or 1) // workers)


def set_thread_environment(threads: int) -> None:
    """Set the variables for threads that the frameworks read when they are imported.

    XLA sizes its pool by NPROC. OpenMP's threads, which PyTorch uses, would otherwise wait by spinning on cores that
    other threads need.
    """
    os.environ["NPROC"] = str(threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def exit_now(code: int) -> NoReturn:
    """Flush the output and end the process.

    The interpreter's own exit would crash on a framework that is still loading in its thread.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
