"""Deadlines of requests on a shared timer, and cancellation of work at its deadline or when its client disconnects."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from app.errors import DeadlinePassedError

DISCONNECT_CHECK_DELAY_S: Final = 0.05
"""Seconds of work after which a task starts to wait for a disconnection: most requests end before, and need none."""

DEADLINE_MESSAGE: Final = (
    "the response took longer than the time allowed for this request, whose work was cancelled: "
    "send less at a time, or later"
)


class Deadline:
    """A callback and its time, in seconds of the event loop's clock."""

    __slots__ = ("ends", "on_passed", "timer")

    def __init__(self, on_passed: Callable[[], None], ends: float) -> None:
        self.on_passed = on_passed
        self.ends = ends
        self.timer: asyncio.TimerHandle | None = None
        """A timer of its own, if it ends before a deadline that was added earlier."""


class DeadlineTimer:
    """Calls back when deadlines pass.

    Deadlines that are added in the order of their ends share one timer of the event loop; those of equal length always
    are. A timer for each request would cost more than most requests.
    """

    def __init__(self) -> None:
        self._ordered: dict[Deadline, None] = {}
        self._latest = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, on_passed: Callable[[], None], seconds: float) -> Deadline:
        """Call the function, which must not raise, after so many seconds, unless the deadline is removed before."""
        loop = asyncio.get_running_loop()
        deadline = Deadline(on_passed, loop.time() + seconds)
        # The timer may still wait for a deadline that was removed.
        if self._timer is not None and deadline.ends < self._latest:
            deadline.timer = loop.call_at(deadline.ends, on_passed)
            return deadline
        self._ordered[deadline] = None
        self._latest = deadline.ends
        if self._timer is None:
            self._timer = loop.call_at(deadline.ends, self._check)
        return deadline

    def remove(self, deadline: Deadline | None) -> None:
        """Never call the deadline's function; does nothing if it was called, or if there is no deadline."""
        if deadline is None:
            return
        if deadline.timer is None:
            self._ordered.pop(deadline, None)
        else:
            deadline.timer.cancel()

    def _check(self) -> None:
        """Call back the deadlines that have passed, and set the timer to the next."""
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._ordered:
            deadline = next(iter(self._ordered))
            if deadline.ends > loop.time():
                self._timer = loop.call_at(deadline.ends, self._check)
                return
            del self._ordered[deadline]
            deadline.on_passed()


class CancelledAtDeadline:
    """A context whose work is cancelled when its deadline passes or its client disconnects.

    Raises:
        DeadlinePassedError: On exit, if the deadline has passed.
        ClientDisconnect: On exit, if the client has disconnected.
    """

    def __init__(self, receive: Receive, seconds: float, *, deadlines: DeadlineTimer, checks: DeadlineTimer) -> None:
        """`checks` times the start of waiting for a disconnection; it is separate because its deadlines are shorter."""
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._receive = receive
        self._deadlines = deadlines
        self._checks = checks
        self._deadline: Deadline | None = None
        self._check: Deadline | None = None
        self._seconds = seconds
        self._watch: asyncio.Task[None] | None = None
        self._reason: Exception | None = None

    def __enter__(self) -> None:
        """Start the deadline."""
        if self._seconds != float("inf"):
            self._deadline = self._deadlines.add(self._time_out, max(self._seconds, 0))
        self._check = self._checks.add(self._start_watch, DISCONNECT_CHECK_DELAY_S)

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Stop the deadline; raise the reason if the work was cancelled here."""
        self._deadlines.remove(self._deadline)
        self._checks.remove(self._check)
        self._deadline = self._check = None  # they refer to this object
        if self._watch is not None:
            self._watch.cancel()
        if self._reason is not None:
            self._task.uncancel()
            if isinstance(error, asyncio.CancelledError):
                raise self._reason from None

    def _time_out(self) -> None:
        self._cancel(DeadlinePassedError(DEADLINE_MESSAGE))

    def _start_watch(self) -> None:
        self._watch = asyncio.get_running_loop().create_task(self._wait_for_disconnect())

    async def _wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._cancel(ClientDisconnect())

    def _cancel(self, reason: Exception) -> None:
        if self._reason is None:
            self._reason = reason
            self._task.cancel()
