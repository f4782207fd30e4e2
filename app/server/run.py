"""Starts the service: checks the settings, binds the sockets, and serves in one or several processes."""

import logging
from ipaddress import ip_address

from app.api_keys import read_keys
from app.errors import StartupError
from app.inference.models.catalog import load_served
from app.server.http_server import Server, run_server
from app.server.open_files import fit_connections
from app.server.sockets import bind_sockets, listen
from app.server.supervisor import run_workers
from app.settings import Settings
from training.checkpoints.model_files import ModelFile
from training.errors import CheckpointError, FrameworkNotInstalledError
from training.frameworks import require_installed

logger = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Serve until a signal stops the process.

    Raises:
        StartupError: The address can't be bound, or no framework can be served; one line for each reason.
    """
    check_servable(settings)
    keys = read_keys(settings)
    settings = fit_connections(settings)
    sockets = bind_sockets(settings.host, settings.port, workers=settings.workers)
    port = sockets[0].getsockname()[1]
    if settings.grpc_port is not None:
        check_grpc_port(settings, port)
    if not keys and not is_loopback(settings.host):
        logger.warning("anyone can use the service on %s: set TRIPTYCH_API_KEYS to require a key", settings.host)
    url = f"http://{_shown_host(settings.host)}:{port}"
    if settings.listen_when_ready:
        logger.info("Triptych will listen on %s once its models are ready", url)
    else:
        logger.info("Triptych is listening on %s (interactive documentation: %s/docs)", url, url)
    if settings.workers > 1:
        run_workers(settings, sockets)
    else:
        if not settings.listen_when_ready:
            listen(sockets)
        run_server(settings, sockets, server_type=Server)
    logger.info("Triptych has stopped")


def check_servable(settings: Settings) -> None:
    """Raise a `StartupError` unless a framework has a backend, or is installed and its checkpoint can be read."""
    if settings.backends:
        return  # a backend may start later
    reasons = []
    for framework in settings.frameworks:
        try:
            require_installed(framework)
            load_served(ModelFile(settings.checkpoints, framework, settings.models[0]).path)
        except (FrameworkNotInstalledError, CheckpointError) as error:
            reasons.append(str(error))
        else:
            return
    raise StartupError("\n".join(reasons))


def check_grpc_port(settings: Settings, http_port: int) -> None:
    """Raise a `StartupError` if gRPC's port is in use: gRPC itself would log why, among other lines, and not say it."""
    reason = "HTTP has it" if settings.grpc_port == http_port else None
    try:
        for bound in bind_sockets(settings.host, settings.grpc_port or 0, workers=settings.workers):
            bound.close()
    except StartupError as error:
        reason = error.__cause__.strerror if isinstance(error.__cause__, OSError) else str(error)
    if reason is not None:
        where = f"TRIPTYCH_GRPC_PORT (--grpc-port) is {settings.grpc_port}"
        raise StartupError(f"{where}, which can't be listened on ({reason}): take another")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach the host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown_host(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 -- compared, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host
