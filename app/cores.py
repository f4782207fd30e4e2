"""How many threads a process computes with: the one place that decides it, for all frameworks at once."""

import os


def take_share_of_cores(worker: int, workers: int) -> None:
    """Keep this process to its share of the cores, before any framework is imported.

    Each framework makes as many threads as the process may use cores; those of several workers would fight for them.
    """
    if not hasattr(os, "sched_setaffinity"):
        return  # macOS leaves it to the system
    cores = sorted(os.sched_getaffinity(0))
    # Where there are more workers than cores, several share one.
    os.sched_setaffinity(0, cores[worker % len(cores) :: workers])
