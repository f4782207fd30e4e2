"""Tasks of a framework that go on when the request that started them is cancelled, until the service stops."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from app.errors import FrameworkUnavailableError
from app.inference.models.state import RETRY_WHILE_LOADING_S, ModelKey

T = TypeVar("T")


class BackgroundTasks:
    """The tasks of one framework."""

    def __init__(self, framework: str) -> None:
        self._framework = framework
        self._tasks: set[asyncio.Task[Any]] = set()
        self._shared: dict[ModelKey, asyncio.Task[None]] = {}
        self._is_stopping = False

    def spawn(self, work: Coroutine[None, None, T]) -> asyncio.Task[T]:
        """Start a task; one that is started after `cancel` is canceled before it begins."""
        task = asyncio.create_task(work)
        if self._is_stopping:
            task.cancel()
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

    async def share(self, key: ModelKey, work: Callable[[ModelKey], Coroutine[None, None, None]]) -> None:
        """Finish the task of a model, which all calls share that come before it ends; errors are those of `finish`."""
        if (task := self._shared.get(key)) is None:
            task = self._shared[key] = self.spawn(work(key))
            task.add_done_callback(partial(self._end_shared, key))
        await self.finish(task)

    async def finish_shared(self, is_concerned: Callable[[ModelKey], bool]) -> None:
        """Wait until the shared tasks of the models concerned have ended, well or not."""
        if tasks := [task for key, task in self._shared.items() if is_concerned(key)]:
            await asyncio.wait(tasks)

    def cancel(self) -> None:
        """Cancel all tasks, those that are still to come too, because the service is stopping."""
        self._is_stopping = True
        for task in self._tasks:
            task.cancel()

    def stopping_error(self) -> FrameworkUnavailableError:
        """Return the error of requests that can't be computed any more."""
        return FrameworkUnavailableError(
            f"{self._framework} is unavailable: the server is stopping; send the request again later",
            retry_after_s=RETRY_WHILE_LOADING_S,
        )

    def _end_shared(self, key: ModelKey, task: asyncio.Task[None]) -> None:
        del self._shared[key]
        if not task.cancelled():
            task.exception()  # logged already; its requests may all be gone
