"""How long an answer is worked on: until its deadline, and no longer than its client waits."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from app.exceptions import DeadlinePassedError

T = TypeVar("T")

PATIENCE_S: Final = 0.05
"""How long work takes before it is worth asking whether the client still waits for it."""

TOOK_TOO_LONG: Final = (
    "the answer took longer than the time that this request was given, and its work was dropped: "
    "send less at a time, or later"
)


@dataclass(slots=True, eq=False)
class _Work:
    """What one client waits for."""

    task: asyncio.Task[Any]
    receive: Receive
    begun: float
    ends: float
    """Both in the event loop's seconds."""

    watching: asyncio.Task[None] | None = None
    reason: Exception | None = None
    """Why it was cancelled."""


class Patience:
    """Watches over all work that takes long, on one timer: one for each request would take longer than most do."""

    def __init__(self) -> None:
        self._unwatched: dict[_Work, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def work_while_wanted(self, coroutine: Coroutine[Any, Any, T], *, receive: Receive, seconds: float) -> T:
        """Return what the work comes to, if that takes fewer seconds and the client stays.

        Raises:
            DeadlinePassedError: It took longer; the work was cancelled.
            ClientDisconnect: The client has gone; the work was cancelled.
        """
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        now = loop.time()
        work = _Work(task, receive, now, now + seconds)
        if seconds > 2 * PATIENCE_S:  # by then it is watched
            self._unwatched[work] = None
            if self._timer is None:
                self._timer = loop.call_later(PATIENCE_S, self._look)
        else:
            work.watching = loop.create_task(_watch(work))
        try:
            return await coroutine
        except asyncio.CancelledError:
            if work.reason is None:
                raise
            task.uncancel()
            raise work.reason from None
        finally:
            self._unwatched.pop(work, None)
            if work.watching is not None:
                work.watching.cancel()

    def _look(self) -> None:
        """Begin to watch over what has taken long already, which are the first in the order of their beginning."""
        loop = asyncio.get_running_loop()
        begun_by = loop.time() - PATIENCE_S
        while self._unwatched and (work := next(iter(self._unwatched))).begun <= begun_by:
            del self._unwatched[work]
            work.watching = loop.create_task(_watch(work))
        self._timer = loop.call_later(PATIENCE_S, self._look) if self._unwatched else None


async def _watch(work: _Work) -> None:
    try:
        async with asyncio.timeout_at(work.ends):
            while (await work.receive())["type"] != "http.disconnect":
                pass
        work.reason = ClientDisconnect()
    except TimeoutError:
        work.reason = DeadlinePassedError(TOOK_TOO_LONG)
    work.task.cancel()
