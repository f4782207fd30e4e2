"""The thread on which one framework computes. It runs one call after another, and joins none into batches."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from app.exceptions import FrameworkUnavailableError

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

RETRY_AFTER_FAULT_S = 5


@dataclass(frozen=True, slots=True)
class Timings:
    """How long a call took."""

    queue_ms: float
    """From being handed over to its start."""

    model_ms: float
    """From its start to its end."""


class Worker:
    """One thread of one framework, so that no call blocks the event loop and no adapter is called twice at once."""

    def __init__(self, framework: str) -> None:
        self._framework = framework
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=framework)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, Timings]:
        """Call the function on the thread; when the wait is cancelled before it starts, it never does.

        Raises:
            FrameworkUnavailableError: The call failed, or the worker is closed.
        """
        queued = time.perf_counter()

        def call() -> tuple[T, Timings]:
            started = time.perf_counter()
            result = function(*args, **kwargs)
            finished = time.perf_counter()
            return result, Timings(queue_ms=(started - queued) * 1e3, model_ms=(finished - started) * 1e3)

        try:
            future = self._executor.submit(call)
        except RuntimeError as error:
            raise FrameworkUnavailableError(
                f"{self._framework} is no longer served: the server is stopping; send the request to it again later",
                retry_after_s=RETRY_AFTER_FAULT_S,
            ) from error
        try:
            return await asyncio.wrap_future(future)
        except Exception as error:
            logger.exception("%s failed to compute a request", self._framework)
            raise FrameworkUnavailableError(
                f"{self._framework} failed to compute this request ({type(error).__name__}); "
                "try again, or another framework; the server's log says more",
                retry_after_s=RETRY_AFTER_FAULT_S,
            ) from error

    def close(self) -> None:
        """Take no more calls; the one that runs may finish."""
        self._executor.shutdown(wait=False)
