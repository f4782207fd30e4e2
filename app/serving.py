"""From settings to a running service: what is checked first, and in how many processes it runs."""

import logging
import signal

from app.exceptions import StartupError
from app.inference.loader import checkpoint_path
from app.keys import read_keys
from app.server import Server, run_server
from app.settings import Settings
from app.sockets import open_sockets
from app.workers import run_workers
from training.checkpoint import load_checkpoint
from training.errors import CheckpointError, FrameworkNotInstalledError
from training.frameworks import require_installed

logger = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Serve until the process is told to stop.

    Raises:
        StartupError: The address can't be listened on, or no framework can be served; one line for each reason.
    """
    # Until there is a model to be loaded anew.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    check_servable(settings)
    keys = read_keys(settings)
    sockets = open_sockets(settings.host, settings.port)
    port = sockets[0].getsockname()[1]
    if not settings.is_loopback and not keys:
        logger.warning("anyone who can reach %s may ask: set TRIPTYCH_API_KEYS to ask for a key", settings.host)
    url = f"http://{_shown_host(settings.host)}:{port}"
    logger.info("Triptych is listening on %s (interactive documentation: %s/docs)", url, url)
    if settings.workers > 1:
        run_workers(settings, sockets)
    else:
        run_server(settings, sockets, server_type=Server)


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


def _shown_host(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 -- compared with, not listened on
        return "localhost"
    return f"[{host}]" if ":" in host else host
