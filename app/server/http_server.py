"""uvicorn's server in one process, with a shutdown that loses no request and a reload at SIGHUP."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator, Sequence
from functools import partial
from types import FrameType
from typing import Any, Final

import uvicorn

from app.errors import StartupError
from app.inference.models.registry import Registry
from app.inference.models.worker_board import WorkerBoard
from app.main import Application, create_app
from app.process_tuning import exit_now, freeze_gc, raise_gc_threshold, tune_malloc
from app.protocol.connection import BoundedConnection
from app.protocol.connection_limits import ConnectionLimits
from app.protocol.excess_connections import ExcessConnections
from app.protocol.forwarded import TrustedProxies
from app.reload import Reloader
from app.server.open_files import count_excess_connections
from app.settings import Settings

logger = logging.getLogger(__name__)

ACCEPT_BATCH: Final = 16
"""Maximum new connections accepted in one iteration of the event loop, per socket."""

_REJECT_WINDOW_S: Final = 1.0
"""Seconds at the end of the shutdown timeout that are reserved for rejecting unfinished requests with 503."""


def run_server(
    settings: Settings,
    sockets: Sequence[socket.socket],
    *,
    server_type: "type[Server]",
    board: WorkerBoard | None = None,
) -> None:
    """Serve on the sockets until a signal stops the process; `board` is this worker's view of all workers.

    Raises:
        StartupError: No framework can be served; the message has a line for each.
    """
    tune_malloc()
    raise_gc_threshold()
    registry = Registry(settings, board=board)
    app = create_app(settings, registry)
    app.state.wait_for_models = settings.listen_when_ready
    server = server_type(app)
    registry.on_all_failed(server.stop)
    freeze_gc()
    server.run(sockets=list(sockets))
    app.state.observer.close()
    if registry.all_failed:
        raise StartupError("\n".join(str(state.reason) for state in registry.states))


class Server(uvicorn.Server):
    """The server of a single process: the first signal stops it gracefully, the second immediately."""

    def __init__(self, app: Application) -> None:
        super().__init__(configure(app))
        self._registry: Registry = app.state.registry
        self._reloader: Reloader = app.state.reloader
        self._reloader.broadcast_reload = self.broadcast_reload
        self._reloading: asyncio.Task[None] | None = None
        self._reload_is_requested = False
        self._start_grpc = app.start_grpc
        self.grpc_server: Any = None

    def stop(self) -> None:
        """Start the graceful shutdown."""
        self.should_exit = True
        if not self.started:
            self._registry.cancel_loading()

    def broadcast_reload(self) -> None:
        """Reload all other processes behind the same port: here there are none."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- uvicorn's signature
        """Stop with exit code 0: uvicorn would raise the signal again."""
        if self.should_exit:
            logger.warning("Triptych was stopped at once, by a second signal")
            exit_now(128 + sig)
        self.stop()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Handle signals while the server runs, if this is the main thread."""
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._on_sighup)
        with super().capture_signals():
            yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections."""
        for sock in sockets or []:
            # Workers may share the socket's file: if one made it blocking, another could hang in `accept`.
            sock.setblocking(False)
        # uvloop accepts one connection per listening socket and iteration. Under load, hundreds of new connections,
        # with health checks among them, would wait for as many iterations: hence the duplicates.
        await super().startup([sock.dup() for sock in sockets or [] for _ in range(ACCEPT_BATCH)])
        if self._start_grpc is not None and not self.should_exit:
            self.grpc_server = await self._start_grpc()

    async def on_tick(self, counter: int) -> bool:
        """Enforce the timeouts of all connections, once a second."""
        if counter % 10 == 0:
            self._check_connections()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, complete accepted requests, and reject with 503 those not completed in time."""
        loop = asyncio.get_running_loop()
        await self._drain_accept_queue(sockets or [])
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        seconds = self.config.timeout_graceful_shutdown or 0
        ends = loop.time() + seconds
        grpc_stop = None if self.grpc_server is None else asyncio.create_task(self.grpc_server.stop(seconds))
        await self._wait_until_responded(max(seconds - _REJECT_WINDOW_S, seconds / 2))
        if incomplete := sum(not connection.is_idle for connection in self._connections):
            logger.warning("%d requests were not completed within %d s and get 503", incomplete, seconds)
        await self.lifespan.shutdown()
        await self._wait_until_responded(ends - loop.time())
        for connection in self._connections:
            connection.transport.abort()
        if grpc_stop is not None:
            await grpc_stop

    async def _drain_accept_queue(self, sockets: Sequence[socket.socket]) -> None:
        """Drain the kernel's accept queue before closing the sockets; pending connections would otherwise be reset."""
        for listening in sockets:
            while True:
                try:
                    accepted, _ = listening.accept()
                except ConnectionAbortedError:
                    continue  # its client has left
                except OSError:
                    break  # no connection is pending, or no file descriptor is left for it
                accepted.setblocking(False)
                await asyncio.get_running_loop().connect_accepted_socket(self._make_connection, accepted)

    @property
    def _connections(self) -> list[BoundedConnection]:
        return [connection for connection in self.server_state.connections if isinstance(connection, BoundedConnection)]

    def _make_connection(self) -> asyncio.Protocol:
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    async def _wait_until_responded(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                # Polled: uvicorn has no event for closed connections.
                while self.server_state.connections or self.server_state.tasks:
                    # Repeatedly: the most recent connections may not be in the list yet.
                    for connection in self._connections:
                        connection.shutdown()
                    await asyncio.sleep(0.02)

    def _check_connections(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in self._connections:
            connection.enforce_timeouts(now)

    def _on_sighup(self) -> None:
        self._reload_is_requested = True
        if self._reloading is None or self._reloading.done():
            self._reloading = asyncio.create_task(self._reload())

    async def _reload(self) -> None:
        """Reload, and again for a signal during the reload: files may have changed after they were read."""
        while self._reload_is_requested:
            self._reload_is_requested = False
            await self._reloader.reload_and_log()


class WorkerServer(Server):
    """The server of one of several workers; only the supervisor stops it immediately."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- uvicorn's signature
        """Stop at SIGTERM. SIGINT from a terminal also reaches the supervisor, which forwards it as SIGTERM."""
        if sig == signal.SIGTERM:
            self.stop()

    def broadcast_reload(self) -> None:
        """Reload all workers, including this one."""
        os.kill(os.getppid(), signal.SIGHUP)


class ReplacementServer(WorkerServer):
    """The server of a replacement worker: it listens when its models are loaded; the others serve until then."""

    def __init__(self, app: Application) -> None:
        super().__init__(app)
        app.state.wait_for_models = True


def configure(app: Application) -> uvicorn.Config:
    """Return uvicorn's configuration for the application, by its settings."""
    settings: Settings = app.state.settings
    limits = ConnectionLimits(
        max_connections=settings.max_connections,
        excess=ExcessConnections(count_excess_connections(settings.max_connections)),
        max_header_bytes=settings.max_header_bytes,
        headers_timeout_s=settings.headers_timeout_s,
        transfer_timeout_s=settings.transfer_timeout_s,
    )
    connection = partial(
        app.new_connection,
        limits=limits,
        metrics=app.state.metrics,
        proxies=TrustedProxies(settings.trusted_proxies),
        root_path=settings.root_path,
        logs_rejections=settings.access_log,
    )
    return uvicorn.Config(
        app,
        interface="asgi3",
        http=connection,  # type: ignore[arg-type]  # uvicorn only calls it
        log_config=None,
        access_log=False,  # the service has its own access log
        server_header=False,
        headers=[("X-Content-Type-Options", "nosniff")],
        # Proxies are trusted by a setting of the service; uvicorn trusts all clients of this machine.
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.shutdown_timeout_s,
    )
