"""How many threads a framework may use."""

import pytest

from app.inference.threads import count_threads, take_share_of_cores


@pytest.mark.parametrize(("cores", "workers", "threads"), [(8, 1, 8), (8, 3, 2), (2, 2, 1), (2, 5, 1)])
def test_workers_share_the_cores(monkeypatch, cores, workers, threads):
    """Each worker's frameworks get its share of the cores that the process may use, and at least one."""
    own = set(range(cores))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: own, raising=False)
    monkeypatch.setattr("os.sched_setaffinity", lambda _, share: own.intersection_update(share), raising=False)

    take_share_of_cores(workers - 1, workers)

    assert count_threads(workers) == threads


@pytest.mark.parametrize(("cores", "workers"), [(8, 1), (8, 3), (5, 4), (4, 4)])
def test_no_core_is_left_over(monkeypatch, cores, workers):
    """Together the workers have every core, and none twice."""
    found = []
    for worker in range(workers):
        own = set(range(cores))
        monkeypatch.setattr("os.sched_getaffinity", lambda _, own=own: own, raising=False)
        monkeypatch.setattr(
            "os.sched_setaffinity", lambda _, share, own=own: own.intersection_update(share), raising=False
        )
        take_share_of_cores(worker, workers)
        found += own

    assert sorted(found) == list(range(cores))


@pytest.mark.parametrize(("cores", "workers", "threads"), [(8, 1, 8), (8, 3, 2), (2, 5, 1)])
def test_cores_are_shared_where_the_system_gives_out_none(monkeypatch, cores, workers, threads):
    """On macOS, where a process can't be kept to cores, their number is divided."""
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.delattr("os.sched_setaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: cores)

    take_share_of_cores(0, workers)

    assert count_threads(workers) == threads
