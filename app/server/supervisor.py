"""Supervisor of several worker processes behind one port: starts them, forwards signals, replaces crashed ones."""

import logging
import multiprocessing
import os
import signal
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
from app.errors import StartupError
from app.inference.models.worker_board import WorkerBoard
from app.observability.log_config import configure_logs
from app.observability.metrics import FOLDER_VARIABLE
from app.process_tuning import exit_now, pin_to_core_share
from app.server.http_server import ReplacementServer, WorkerServer, run_server
from app.server.sockets import bind_again, listen
from app.settings import Settings

logger = logging.getLogger(__name__)

_POLL_INTERVAL_S: Final = 0.2

_KILL_AFTER_S: Final = 5
"""Seconds after the shutdown timeout until a worker that still runs is killed."""


def run_workers(settings: Settings, sockets: Sequence[socket]) -> None:
    """Serve with the number of processes in the settings until a signal stops this one.

    Raises:
        StartupError: A worker can't serve any framework from the start; a line for each.
    """
    # Workers keep their metrics in files of this folder; prometheus_client reads the variable when it is imported.
    try:
        temporary = tempfile.TemporaryDirectory(prefix="triptych-metrics-", dir=os.environ.get(FOLDER_VARIABLE))
    except OSError as error:
        raise StartupError(
            f"several workers need a folder for their metrics, and none can be written ({error.strerror}): "
            f"set TMPDIR or {FOLDER_VARIABLE} to one, or use one worker"
        ) from error
    with temporary as folder:
        os.environ[FOLDER_VARIABLE] = folder
        Supervisor(settings, sockets).run()


@dataclass(frozen=True, slots=True, eq=False)
class _Worker:
    number: int
    process: SpawnProcess
    failure_pipe: Connection
    """Receives the reason if the worker can't serve any framework."""

    is_first: bool
    """False if it replaces a crashed worker."""


class Supervisor:
    """The parent process of the workers; it serves no requests."""

    def __init__(self, settings: Settings, sockets: Sequence[socket]) -> None:
        """Keep the sockets, which only reserve the port: each worker listens on its own."""
        self._settings = settings
        self._sockets = sockets
        self._board = WorkerBoard(settings.frameworks, workers=settings.workers)
        self._workers: list[_Worker] = []
        self._backoffs = [Backoff() for _ in range(settings.workers)]
        self._due: dict[int, float] = {}
        self._stopped: float | None = None
        self._failure: str | None = None

    def run(self) -> None:
        """Start the workers, and return when all have exited.

        Raises:
            StartupError: One can't serve any framework from the start.
        """
        signal.signal(signal.SIGTERM, self._on_terminate)
        signal.signal(signal.SIGINT, self._on_terminate)
        for number in range(self._settings.workers):
            if self._stopped is None:
                self._start(number, is_first=True)
        # Only after they have started, because child processes inherit ignored signals.
        signal.signal(signal.SIGHUP, self._forward_signal)
        while self._workers or (self._due and self._stopped is None):
            wait([worker.process.sentinel for worker in self._workers], timeout=_POLL_INTERVAL_S)
            for worker in [worker for worker in self._workers if not worker.process.is_alive()]:
                self._reap(worker)
            if self._stopped is None:
                self._restart_due()
            else:
                self._finish_stop(self._stopped)
        if self._failure is not None:
            raise StartupError(self._failure)

    def _start(self, number: int, *, is_first: bool) -> None:
        # A framework's threads don't survive a fork.
        spawn = multiprocessing.get_context("spawn")
        failure_pipe, sender = spawn.Pipe(duplex=False)
        server_type = WorkerServer if is_first else ReplacementServer
        sockets = bind_again(self._sockets)
        if is_first and not self._settings.listen_when_ready:
            listen(sockets)
        board = self._board.for_worker(number)
        process = spawn.Process(target=_worker_main, args=(board, self._settings, sockets, server_type, sender))
        process.start()
        sender.close()
        # With copies open here, the kernel would still send clients to a worker that has crashed.
        for bound in sockets:
            bound.close()
        self._workers.append(_Worker(number, process, failure_pipe, is_first))
        if self._stopped is not None:
            process.terminate()

    def _restart_due(self) -> None:
        now = time.monotonic()
        for number in [number for number, due in self._due.items() if due <= now]:
            del self._due[number]
            # SIGHUP would kill a new process before it has installed its handler.
            handler = signal.signal(signal.SIGHUP, signal.SIG_IGN)
            self._start(number, is_first=False)
            signal.signal(signal.SIGHUP, handler)

    def _finish_stop(self, stopped: float) -> None:
        """Free the port, which no signal handler may do while a worker is being started; kill workers that hang."""
        for bound in self._sockets:
            bound.close()
        if time.monotonic() > stopped + self._settings.shutdown_timeout_s + _KILL_AFTER_S:
            self._kill()

    def _reap(self, worker: _Worker) -> None:
        process = worker.process
        process.join()
        self._workers.remove(worker)
        self._board.for_worker(worker.number).set_absent()
        mark_process_dead(process.pid)  # type: ignore[no-untyped-call]  # prometheus-client has no types there
        reason = _read_reason(worker)
        worker.failure_pipe.close()
        if self._stopped is not None:
            return
        if reason is not None and worker.is_first:
            self._failure = reason
            self._stop()
            return
        pause_s = self._backoffs[worker.number].next_s()
        logger.error(
            "worker %d has ended with code %d and is replaced in %d s",
            worker.number + 1,
            process.exitcode,
            pause_s,
        )
        self._due[worker.number] = time.monotonic() + pause_s

    def _on_terminate(self, number: int, _frame: FrameType | None) -> None:
        if self._stopped is None:
            self._stop()
            return
        self._kill()
        os._exit(128 + number)

    def _stop(self) -> None:
        self._stopped = time.monotonic()
        for worker in list(self._workers):
            worker.process.terminate()

    def _kill(self) -> None:
        for worker in list(self._workers):
            worker.process.kill()

    def _forward_signal(self, number: int, _frame: FrameType | None) -> None:
        for worker in list(self._workers):
            if worker.process.pid is not None and worker.process.is_alive():
                os.kill(worker.process.pid, number)


def _read_reason(worker: _Worker) -> str | None:
    try:
        return str(worker.failure_pipe.recv()) if worker.failure_pipe.poll() else None
    except EOFError:
        return None


def _worker_main(
    board: WorkerBoard,
    settings: Settings,
    sockets: Sequence[socket],
    server_type: type[WorkerServer],
    failure_pipe: Connection,
) -> None:
    """Serve as one of the workers: the main function of its process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logs(settings.log_level, settings.log_format)
    pin_to_core_share(board.worker, settings.workers)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    code = 0
    try:
        run_server(settings, sockets, server_type=server_type, board=board)
    except StartupError as error:
        failure_pipe.send(str(error))
        code = 1
    exit_now(code)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
