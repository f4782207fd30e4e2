"""The timer that deadlines share."""

import asyncio

import pytest

from app.api.deadlines import DeadlineTimer


@pytest.mark.parametrize("is_removed", [True, False])
def test_shorter_deadline_passes_first(is_removed):
    """A deadline passes in time after a longer one was added, even if that was removed meanwhile."""

    async def pass_one():
        timer, passed = DeadlineTimer(), asyncio.Event()
        longer = timer.add(pytest.fail, 60)
        if is_removed:
            timer.remove(longer)
        timer.add(passed.set, 0.001)
        await asyncio.wait_for(passed.wait(), 10)
        timer.remove(longer)

    asyncio.run(pass_one())
