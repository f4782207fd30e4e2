"""How long an answer is worked on: until its deadline, and no longer than its client waits."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from app.exceptions import DeadlinePassedError

T = TypeVar("T")

PATIENCE_S: Final = 0.05
"""How long work takes before it is worth asking whether the client still waits for it."""


async def work_while_wanted(work: Coroutine[Any, Any, T], *, receive: Receive, seconds: float) -> T:
    """Return what the work comes to, if that takes fewer seconds and the client stays.

    Raises:
        DeadlinePassedError: It took longer; the work was cancelled.
        ClientDisconnect: The client has gone; the work was cancelled.
    """
    task = asyncio.current_task()
    assert task is not None
    reason: Exception | None = None
    watching: asyncio.Task[None] | None = None

    async def watch() -> None:
        nonlocal reason
        try:
            async with asyncio.timeout(seconds - PATIENCE_S):
                while (await receive())["type"] != "http.disconnect":
                    pass
            reason = ClientDisconnect()
        except TimeoutError:
            reason = DeadlinePassedError(
                "the answer took longer than the time that this request was given, and its work was dropped: "
                "send less at a time, or later"
            )
        task.cancel()

    def begin_to_watch() -> None:
        nonlocal watching
        watching = asyncio.create_task(watch())

    timer = asyncio.get_running_loop().call_later(min(PATIENCE_S, seconds), begin_to_watch)
    try:
        return await work
    except asyncio.CancelledError:
        if reason is None:
            raise
        task.uncancel()
        raise reason from None
    finally:
        timer.cancel()
        if watching is not None:
            watching.cancel()
