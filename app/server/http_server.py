"""The server in one process: uvicorn's, which ends without losing a request and loads checkpoints anew at SIGHUP."""

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
from typing import Final

import uvicorn

from app.connection import Connection, ConnectionLimits
from app.exceptions import StartupError
from app.hot_connection import HotConnection
from app.inference.garbage import look_for_garbage_less_often
from app.inference.registry import Registry
from app.main import Application, create_app
from app.memory import give_large_blocks_back
from app.middleware import OTHER_ROUTE
from app.reloading import Reloader
from app.settings import Settings

logger = logging.getLogger(__name__)

ACCEPTED_AT_ONCE: Final = 16
"""New connections that are accepted, at most, before others are served again."""

_LAST_S: Final = 1.0
"""How much of the time to stop is kept for answering with 503 what the models won't answer any more."""


def run_server(settings: Settings, sockets: Sequence[socket.socket], *, server_type: "type[Server]") -> None:
    """Serve on the sockets until the process is told to stop.

    Raises:
        StartupError: No framework can be served; a line for each.
    """
    give_large_blocks_back()
    look_for_garbage_less_often()
    registry = Registry(settings)
    server = server_type(create_app(settings, registry))
    registry.call_when_nothing_is_left(server.stop)
    server.run(sockets=list(sockets))
    if registry.nothing_is_left:
        raise StartupError("\n".join(str(state.reason) for state in registry.states))


class Server(uvicorn.Server):
    """The server of a process of its own: the first signal ends it in good order, the second at once."""

    def __init__(self, app: Application) -> None:
        super().__init__(_configure(app))
        self._reloader: Reloader = app.state.reloader
        self._reloader.tell_others = self.tell_others
        self._reloading: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Begin to stop."""
        self.should_exit = True

    def tell_others(self) -> None:
        """Have all that serve behind the same port load anew: here, this is the only one."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- uvicorn's signature
        """Stop, with exit code 0: uvicorn would raise the signal again."""
        if self.should_exit:
            os._exit(128 + sig)
        self.stop()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Listen to signals, in the main thread, while the server runs."""
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._hang_up)
        with super().capture_signals():
            yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept."""
        for one in sockets or []:
            # A duplicate of a blocking one would make it so for other workers too, who share it, and would then wait in
            # `accept` for a connection that this one took.
            one.setblocking(False)
        # uvloop accepts one connection of each listening socket at once: under load, hundreds that come together would
        # wait for as many batches, and health checks behind them.
        await super().startup([one.dup() for one in sockets or [] for _ in range(ACCEPTED_AT_ONCE)])

    async def on_tick(self, counter: int) -> bool:
        """Look at what each connection waits for, once a second."""
        if counter % 10 == 0:
            self._check_connections()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, answer what was accepted, and what isn't answered in time with 503."""
        loop = asyncio.get_running_loop()
        await self._accept_what_waits(sockets or [])
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        seconds = self.config.timeout_graceful_shutdown or 0
        ends = loop.time() + seconds
        await self._wait_until_answered(max(seconds - _LAST_S, seconds / 2))
        if unanswered := sum(not connection.is_idle for connection in self._connections):
            logger.warning("%d requests were not answered within %d s, and are told so", unanswered, seconds)
        await self.lifespan.shutdown()
        await self._wait_until_answered(ends - loop.time())
        for connection in self._connections:
            connection.transport.abort()

    async def _accept_what_waits(self, sockets: Sequence[socket.socket]) -> None:
        """Accept what the kernel has accepted already: closing the socket would reset it, and what it has sent."""
        for listening in sockets:
            while True:
                try:
                    accepted, _ = listening.accept()
                except BlockingIOError:
                    break
                accepted.setblocking(False)
                await asyncio.get_running_loop().connect_accepted_socket(self._make_connection, accepted)

    @property
    def _connections(self) -> list[Connection]:
        return [connection for connection in self.server_state.connections if isinstance(connection, Connection)]

    def _make_connection(self) -> asyncio.Protocol:
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    async def _wait_until_answered(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.server_state.connections or self.server_state.tasks:  # uvicorn has no event for it
                    # Again and again: some of those that were accepted last are not yet among them.
                    for connection in self._connections:
                        connection.shutdown()
                    await asyncio.sleep(0.02)

    def _check_connections(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in self._connections:
            connection.check(now)

    def _hang_up(self) -> None:
        if self._reloading is None or self._reloading.done():
            self._reloading = asyncio.create_task(self._reloader.reload_quietly())


class WorkerServer(Server):
    """The server of one of several workers, which only their parent ends at once."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- uvicorn's signature
        """Stop at SIGTERM; SIGINT comes from a terminal to the parent too, which passes it on."""
        if sig == signal.SIGTERM:
            self.stop()

    def tell_others(self) -> None:
        """Have all workers load anew, this one too."""
        os.kill(os.getppid(), signal.SIGHUP)


class ReplacementServer(WorkerServer):
    """The server of a worker that takes another's place: the others serve until it can."""

    def __init__(self, app: Application) -> None:
        super().__init__(app)
        app.state.loads_first = True


def _configure(app: Application) -> uvicorn.Config:
    settings: Settings = app.state.settings
    limits = ConnectionLimits(
        max_connections=settings.max_connections,
        max_header_bytes=settings.max_header_bytes,
        headers_timeout_s=settings.headers_timeout_s,
        transfer_timeout_s=settings.transfer_timeout_s,
    )
    on_refused = partial(app.state.metrics.count_refused, OTHER_ROUTE)
    connection: Callable[..., Connection] = Connection
    if app.hot_path is not None:
        connection = partial(HotConnection, hot_path=app.hot_path)
    return uvicorn.Config(
        app,
        interface="asgi3",
        http=partial(connection, limits=limits, on_refused=on_refused),  # type: ignore[arg-type]  # uvicorn only calls it
        log_config=None,
        access_log=settings.access_log,
        server_header=False,
        # Who asks is all that they tell, which nobody else looks at.
        proxy_headers=settings.access_log or settings.rate_limit is not None,
        ws="none",
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.shutdown_timeout_s,
    )
