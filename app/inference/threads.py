"""How many threads a process computes with: the one place that decides it, for all frameworks at once."""

import os


def take_share_of_cores(worker: int, workers: int) -> None:
    """Keep this process to its share of the cores, before any framework is imported."""
    if not hasattr(os, "sched_setaffinity"):
        return  # macOS leaves it to the system
    cores = sorted(os.sched_getaffinity(0))
    # Where there are more workers than cores, several share one.
    os.sched_setaffinity(0, cores[worker % len(cores) :: workers])


def count_threads(workers: int = 1) -> int:
    """Return how many threads a framework may use at most: a worker process's share of the cores, at least one."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))  # the share has been taken
    return max(1, (os.cpu_count() or 1) // workers)


def prepare_threads(threads: int) -> None:
    """Set what the frameworks read from the environment when they are imported.

    XLA sizes its pool by NPROC. OpenMP's threads, which are PyTorch's, otherwise wait by spinning, on cores that others
    need.
    """
    os.environ["NPROC"] = str(threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
