"""Checks of a soak's end: the service's metrics against the clients' own counts, and its memory. Sends nothing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from training.counts import count_of

MAX_GROWTH: Final = 1.05
"""Memory after the first third may grow at most by this factor until the end, and `SLACK_BYTES`."""

SLACK_BYTES: Final = 20 * 2**20

LEAVERS: Final = frozenset({"400", "408", "499"})
"""Statuses that only a client which disconnects early can cause: those of an incomplete body, or of nobody there."""


def count_responses(metrics: str) -> Counter[str]:
    """Return the service's count of responses by status."""
    counts: Counter[str] = Counter()
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name == "triptych_requests_total":
                counts[sample.labels["status"]] += int(sample.value)
    return counts


def find_miscounts(counted: Mapping[str, int], seen: Mapping[str, int], *, left: int) -> Iterator[str]:
    """Yield where the service's counts don't fit those of the clients; `left` of them disconnected early.

    A client that left may have been counted under any status, or not at all if the server never saw its headers.
    """
    for status in sorted({*counted, *seen}):
        most = seen.get(status, 0) + left
        if not seen.get(status, 0) <= counted.get(status, 0) <= most:
            times = count_of(counted.get(status, 0), "time")
            yield f"metrics count {times} {status}, the clients {seen.get(status, 0)} to {most}"
        if status not in seen and status not in LEAVERS and counted.get(status, 0):
            yield f"metrics count {count_of(counted[status], 'time')} {status}, which no client has seen"
    if sum(counted.values()) > sum(seen.values()) + left:
        sent = count_of(sum(seen.values()) + left, "request")
        yield f"metrics count {count_of(sum(counted.values()), 'response')}, the clients sent {sent}"


def find_growth(memory: Sequence[int]) -> str | None:
    """Return how the resident memory grew after the first third of the samples; None if it is flat."""
    settled, last = memory[len(memory) // 3], memory[-1]
    if last <= settled * MAX_GROWTH + SLACK_BYTES:
        return None
    return f"memory grew from {settled / 2**20:,.0f} to {last / 2**20:,.0f} MiB"
