"""Several worker processes behind one port: starts them, passes signals on, and replaces those that crash."""

import logging
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from socket import socket
from types import FrameType
from typing import Final

from prometheus_client.multiprocess import mark_process_dead

from app.backoff import Backoff
from app.exceptions import StartupError
from app.inference.threads import take_share_of_cores
from app.logs import configure_logs
from app.metrics import FOLDER_VARIABLE
from app.server import ReplacementServer, WorkerServer, run_server
from app.settings import Settings

logger = logging.getLogger(__name__)

_LOOK_EVERY_S: Final = 0.2

_LATE_S: Final = 5
"""How long after the time to stop a worker is killed that is still there."""


def run_workers(settings: Settings, sockets: Sequence[socket]) -> None:
    """Serve with the settings' number of processes until this one is told to stop.

    Raises:
        StartupError: A worker can't serve any framework from the start; a line for each.
    """
    # Workers count in files of a folder, which they look up when they import the metrics.
    with tempfile.TemporaryDirectory(prefix="triptych-metrics-", dir=os.environ.get(FOLDER_VARIABLE)) as folder:
        os.environ[FOLDER_VARIABLE] = folder
        Workers(settings, sockets).run()


@dataclass(frozen=True, slots=True, eq=False)
class _Worker:
    number: int
    process: SpawnProcess
    reasons: Connection
    """Where the worker says why it can't serve."""

    is_first: bool
    """Whether it replaces no other."""


class Workers:
    """The parent of the workers; it serves nothing itself."""

    def __init__(self, settings: Settings, sockets: Sequence[socket]) -> None:
        self._settings = settings
        self._sockets = sockets
        self._workers: list[_Worker] = []
        self._backoffs = [Backoff() for _ in range(settings.workers)]
        self._due: dict[int, float] = {}
        self._stopped: float | None = None
        self._failure: str | None = None

    def run(self) -> None:
        """Start the workers, and return once all have ended.

        Raises:
            StartupError: One can't serve any framework from the start.
        """
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        for number in range(self._settings.workers):
            self._start(number, is_first=True)
        # Not before they are started: a signal that is ignored is so in new processes too.
        signal.signal(signal.SIGHUP, self._pass_on)
        while self._workers or (self._due and self._stopped is None):
            wait([worker.process.sentinel for worker in self._workers], timeout=_LOOK_EVERY_S)
            for worker in [worker for worker in self._workers if not worker.process.is_alive()]:
                self._bury(worker)
            self._go_on()
        if self._failure is not None:
            raise StartupError(self._failure)

    def _start(self, number: int, *, is_first: bool) -> None:
        # A framework's threads don't survive a fork.
        spawn = multiprocessing.get_context("spawn")
        reasons, tell = spawn.Pipe(duplex=False)
        server_type = WorkerServer if is_first else ReplacementServer
        process = spawn.Process(target=_work, args=(number, self._settings, self._sockets, server_type, tell))
        process.start()
        tell.close()
        self._workers.append(_Worker(number, process, reasons, is_first))
        if self._stopped is not None:
            process.terminate()

    def _go_on(self) -> None:
        now = time.monotonic()
        if self._stopped is None:
            for number in [number for number, due in self._due.items() if due <= now]:
                del self._due[number]
                # It would end at a hangup that comes before it listens to those.
                handler = signal.signal(signal.SIGHUP, signal.SIG_IGN)
                self._start(number, is_first=False)
                signal.signal(signal.SIGHUP, handler)
        elif now > self._stopped + self._settings.shutdown_timeout_s + _LATE_S:
            self._kill()

    def _bury(self, worker: _Worker) -> None:
        process = worker.process
        process.join()
        self._workers.remove(worker)
        mark_process_dead(process.pid)  # type: ignore[no-untyped-call]
        reason = _read_reason(worker)
        worker.reasons.close()
        if self._stopped is not None:
            return
        if reason is not None and worker.is_first:
            self._failure = reason
            self._stop()
            return
        pause_s = self._backoffs[worker.number].next_s()
        logger.error(
            "worker %d has ended with code %d; another takes its place in %d s",
            worker.number + 1,
            process.exitcode,
            pause_s,
        )
        self._due[worker.number] = time.monotonic() + pause_s

    def _end(self, number: int, _frame: FrameType | None) -> None:
        if self._stopped is None:
            self._stop()
            return
        self._kill()
        os._exit(128 + number)

    def _stop(self) -> None:
        self._stopped = time.monotonic()
        for worker in list(self._workers):
            worker.process.terminate()
        # The workers, which have these too, answer what waits there.
        for listening in self._sockets:
            listening.close()

    def _kill(self) -> None:
        for worker in list(self._workers):
            worker.process.kill()

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        for worker in list(self._workers):
            if worker.process.pid is not None and worker.process.is_alive():
                os.kill(worker.process.pid, number)


def _read_reason(worker: _Worker) -> str | None:
    try:
        return str(worker.reasons.recv()) if worker.reasons.poll() else None
    except EOFError:
        return None


def _work(
    number: int, settings: Settings, sockets: Sequence[socket], server_type: type[WorkerServer], reasons: Connection
) -> None:
    """Serve as one of the workers; the whole life of its process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logs(settings.log_level)
    take_share_of_cores(number, settings.workers)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    code = 0
    try:
        run_server(settings, sockets, server_type=server_type)
    except StartupError as error:
        reasons.send(str(error))
        code = 1
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # As in `app.__main__`.
    os._exit(code)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
