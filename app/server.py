"""The server's process: its socket, its start and its end. What it answers is `app.main`'s."""

import errno
import logging
import socket

import uvicorn

from app.exceptions import StartupError
from app.inference.loader import checkpoint_path
from app.inference.registry import Registry
from app.main import create_app
from app.settings import Settings
from training.checkpoint import load_checkpoint
from training.errors import CheckpointError, FrameworkNotInstalledError
from training.frameworks import require_installed

logger = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Serve until the process is told to stop.

    Raises:
        StartupError: The address can't be listened on, or no framework can be served; one line for each reason.
    """
    check_servable(settings)
    sockets = open_sockets(settings.host, settings.port)
    port = sockets[0].getsockname()[1]
    if not settings.is_loopback and not settings.api_keys:
        logger.warning("anyone who can reach %s may ask: set TRIPTYCH_API_KEYS to ask for a key", settings.host)
    registry = Registry(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, registry),
            log_config=None,
            access_log=settings.access_log,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=settings.shutdown_timeout_s,
        )
    )

    def stop() -> None:
        server.should_exit = True

    registry.call_when_nothing_is_left(stop)
    url = f"http://{_shown_host(settings.host)}:{port}"
    logger.info("Triptych is listening on %s (interactive documentation: %s/docs)", url, url)
    try:
        server.run(sockets=sockets)
    except KeyboardInterrupt:
        logger.info("stopped")
    if registry.nothing_is_left:
        raise StartupError("\n".join(str(state.reason) for state in registry.states))


def check_servable(settings: Settings) -> None:
    """Raise a `StartupError` unless some framework is installed and its checkpoint can be read."""
    reasons = []
    for framework in settings.frameworks:
        try:
            require_installed(framework)
            load_checkpoint(checkpoint_path(settings.checkpoints, framework))
        except (FrameworkNotInstalledError, CheckpointError) as error:
            reasons.append(str(error))
        else:
            return
    raise StartupError("\n".join(reasons))


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Return a listening socket for each of the host's addresses, on the same port.

    Raises:
        StartupError: There is none that can be listened on.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise StartupError(
            f"TRIPTYCH_HOST (--host) is {host!r}, which is no address of this machine: {error.strerror}"
        ) from error
    sockets: list[socket.socket] = []
    failure: OSError | None = None
    for family, _, _, _, address in dict.fromkeys(found):
        chosen = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_listen(family, (address[0], chosen, *address[2:])))
        except OSError as error:
            # A name may have an address that this machine can't use, such as ::1 in a container.
            if failure is None or error.errno == errno.EADDRINUSE:
                failure = error
    if failure is not None and (not sockets or failure.errno == errno.EADDRINUSE):
        for listening in sockets:
            listening.close()
        raise StartupError(_explain(failure, host, port)) from failure
    return sockets


def _listen(family: int, address: tuple[object, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        # Clients that come before the server is up wait for it instead of being refused.
        listening.listen(2048)
    except OSError:
        listening.close()
        raise
    return listening


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: stop what listens there, or choose another by TRIPTYCH_PORT (--port)"
    if error.errno == errno.EACCES:
        return f"port {port} may not be opened by this user: choose one from 1024 by TRIPTYCH_PORT (--port)"
    return f"TRIPTYCH_HOST (--host) is {host!r}, which can't be listened on: {error.strerror}"


def _shown_host(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 -- compared with, not listened on
        return "localhost"
    return f"[{host}]" if ":" in host else host
