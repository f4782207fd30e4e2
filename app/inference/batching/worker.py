"""Threads of a framework: their queue, and the batch that each computes. Decides and computes nothing."""

import threading
import time
from collections.abc import Callable
from operator import itemgetter
from queue import Empty, SimpleQueue

from app.inference.adapters.base import Adapter
from app.inference.batching.job import Job
from app.inference.batching.scheduler import BatchScheduler

Inbox = SimpleQueue[list[Job] | None]
"""Jobs in the order of their arrival; None dismisses a worker."""


class Worker:
    """One thread's queue, which several share, and the batch that it computes."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self.current: tuple[Adapter, float] | None = None
        """The adapter in use, and since when, by `time.perf_counter`."""

    def drain_inbox(self, scheduler: BatchScheduler) -> bool:
        """Drain the inbox into the scheduler, blocking if both are empty. Return False once the worker is dismissed."""
        try:
            jobs = self._inbox.get_nowait() if scheduler else self._inbox.get()
            while jobs is not None:
                for job in jobs:
                    scheduler.add(job)
                jobs = self._inbox.get_nowait()
        except Empty:
            return True
        return False


class Workers:
    """Several threads behind one queue."""

    def __init__(self, run: Callable[[Worker], None], *, count: int, name: str) -> None:
        """Start the threads, each of which calls `run` with its worker."""
        self.inbox: Inbox = SimpleQueue()
        """Takes the jobs that arrived together."""

        self._workers = [Worker(self.inbox) for _ in range(count)]
        for worker in self._workers:
            # A daemon, so that a call that never returns can't keep the process alive.
            threading.Thread(target=run, args=(worker,), name=name, daemon=True).start()

    @property
    def longest_batch(self) -> tuple[Adapter, float] | None:
        """The adapter of the oldest current batch, and the seconds that it has taken so far; None if there is none."""
        current = [worker.current for worker in self._workers]
        adapter, since = min((batch for batch in current if batch is not None), key=itemgetter(1), default=(None, 0.0))
        return None if adapter is None else (adapter, time.perf_counter() - since)

    def dismiss(self) -> None:
        """End each thread after its current batch; queued jobs aren't computed."""
        for _ in self._workers:
            self.inbox.put(None)
