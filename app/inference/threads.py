"""How many threads the frameworks compute with, set in one place so that they don't fight for the cores."""

import os


def count_threads(workers: int = 1) -> int:
    """Return how many threads a framework may use at most: a worker process's share of the cores, at least one."""
    # Linux alone tells which cores this process may use, as a container's may be fewer than the machine's.
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, available // workers)


def prepare_threads(threads: int) -> None:
    """Set what the frameworks read from the environment when they are imported.

    XLA sizes its pool by NPROC. OpenMP's threads, which are PyTorch's, otherwise wait by spinning, on cores that others
    need.
    """
    os.environ["NPROC"] = str(threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
