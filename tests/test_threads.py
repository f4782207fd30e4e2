"""How many threads a framework may use."""

import pytest

from app.inference.threads import count_threads


@pytest.mark.parametrize(("cores", "workers", "threads"), [(8, 1, 8), (8, 3, 2), (2, 2, 1), (2, 5, 1)])
def test_workers_share_the_cores(monkeypatch, cores, workers, threads):
    """Each worker's frameworks get its share of the cores that the process may use, and at least one."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)), raising=False)

    assert count_threads(workers) == threads
