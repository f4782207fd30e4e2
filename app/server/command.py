"""`python -m app` without a command: reads the settings, configures the log and serves."""

import logging
import os
import sys
from collections.abc import Sequence

from app.cli import read_settings, unknown_variables, unset_service_links
from app.errors import StartupError
from app.observability.log_config import configure_logs
from app.observability.tracing import ignore_unknown_propagators

logger = logging.getLogger(__name__)


def run_service(arguments: Sequence[str], ignored: Sequence[str]) -> int:
    """Serve, and return the exit code: 0 after a signal to stop, 1 if nothing can be served.

    Args:
        arguments: Options of the command line.
        ignored: Environment variables whose values are ignored, for the log.

    Raises:
        SystemExit: A setting is wrong, or help was requested.
    """
    service_links = unset_service_links()
    settings = read_settings(arguments)
    configure_logs(settings.log_level, settings.log_format)
    if service_links:
        logger.warning(
            "ignored, because Kubernetes sets them for a Service named triptych: %s; "
            "set enableServiceLinks: false in the pod to be rid of this line",
            ", ".join(service_links),
        )
    for name in unknown_variables(os.environ):
        logger.warning("%s is not a setting and has no effect; see `python -m app --help`", name)
    if ignored:
        logger.warning("ignored, because they could change results or stop a framework: %s", ", ".join(ignored))
    if settings.workers == 1:
        # For several processes; prometheus_client, which reads it when it is imported, would keep its counts in files.
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    ignore_unknown_propagators()
    from app.server.run import serve  # noqa: PLC0415 -- imports FastAPI: wrong settings and help needn't wait for it

    try:
        serve(settings)
    except StartupError as error:
        for reason in str(error).splitlines():
            print(f"python -m app: error: {reason}", file=sys.stderr)
        return 1
    return 0
