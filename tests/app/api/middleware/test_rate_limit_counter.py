"""The rate limit's counts, beside those of the library whose algorithm it has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from app.api.middleware.rate_limit import RateLimit

START = 1_700_000_000.0


@given(
    steps=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([0.0, 0.25, 1.0, 3.5, 17.0, 45.0])), max_size=40)
)
def test_requests_are_admitted_as_by_the_library(steps):
    """Any sequence of requests of two clients is admitted as its sliding window counter admits it."""
    limit, limiter, item = (
        RateLimit("4/10second"),
        SlidingWindowCounterRateLimiter(MemoryStorage()),
        parse("4/10second"),
    )
    now = START
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("limits.storage.memory.time.time", lambda: now)
        for client, pause in steps:
            now += pause

            assert limit.admit(client, now) == limiter.hit(item, client)


def test_client_may_send_again_after_the_time_that_it_is_given():
    """A rejected client is admitted after so many seconds, and not before the first of them."""
    limit = RateLimit("2/minute")
    assert [limit.admit("a", START) for _ in range(3)] == [True, True, False]

    seconds = limit.seconds_until_admitted("a", START)

    assert 1 <= seconds <= 60
    assert not limit.admit("a", START + 0.5)


def test_counts_of_past_windows_are_dropped():
    """Memory is held for the clients of two windows only."""
    limit = RateLimit("5/second")
    for second in range(100):
        limit.admit(f"client {second}", START + second)

    assert len(limit._counts) + len(limit._counts_before) == 2
