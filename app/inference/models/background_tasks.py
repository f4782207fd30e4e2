"""Tasks of a framework that go on when the request that started them is cancelled, until the service stops."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from app.errors import FrameworkUnavailableError
from app.inference.models.state import RETRY_WHILE_LOADING_S

T = TypeVar("T")


class BackgroundTasks:
    """The tasks of one framework."""

    def __init__(self, framework: str) -> None:
        self._framework = framework
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[None, None, T]) -> asyncio.Task[T]:
        """Start a task."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self, task: asyncio.Task[T]) -> T:
        """Return a task's result; the task goes on if this call is cancelled.

        Raises:
            FrameworkUnavailableError: The service is stopping.
        """
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise self.stopping_error() from None
            raise

    def cancel(self) -> None:
        """Cancel all tasks, because the service is stopping."""
        for task in self._tasks:
            task.cancel()

    def stopping_error(self) -> FrameworkUnavailableError:
        """Return the error of requests that can't be computed any more."""
        return FrameworkUnavailableError(
            f"{self._framework} is unavailable: the server is stopping; send the request again later",
            retry_after_s=RETRY_WHILE_LOADING_S,
        )
