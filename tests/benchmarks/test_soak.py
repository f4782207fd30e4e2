"""The checks of a soak's end: the counts of metrics and clients, and the memory."""

import pytest

from app.observability.metrics import Metrics
from benchmarks.soak.accounting import count_responses, find_growth, find_miscounts

MIB = 2**20


def test_responses_are_counted_by_status():
    """Routes and frameworks are summed."""
    metrics = Metrics(version="", frameworks=["jax"])
    for route, status in (("/encode", 200), ("/decode", 200), ("/encode", 429)):
        metrics.observe_response(0, route=route, framework="jax", status=status)

    assert count_responses(metrics.render().decode()) == {"200": 2, "429": 1}


@pytest.mark.parametrize(
    ("counted", "seen", "left", "faults"),
    [
        ({"200": 10, "429": 1}, {"200": 10, "429": 1}, 0, 0),
        ({"200": 12, "499": 3}, {"200": 10}, 5, 0),
        ({"200": 9}, {"200": 10}, 5, 1),
        ({"200": 11}, {"200": 10}, 0, 2),
        ({"200": 10, "500": 1}, {"200": 10}, 5, 1),
        ({"200": 14, "499": 3}, {"200": 10}, 5, 1),
    ],
)
def test_counts_must_add_up(counted, seen, left, faults):
    """Clients that left may have been counted or not; nobody else."""
    assert len(list(find_miscounts(counted, seen, left=left))) == faults


def test_growth_of_memory_is_found():
    """Growth while caches fill isn't reported; growth that continues is."""
    assert find_growth([500 * MIB, 900 * MIB, 910 * MIB, 915 * MIB]) is None
    assert find_growth([500 * MIB, 900 * MIB, 1000 * MIB, 1100 * MIB]) == "memory grew from 900 to 1,100 MiB"
