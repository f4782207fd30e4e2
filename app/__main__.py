"""The command line of the service: `python -m app --help` lists its options."""

import logging
import os
import sys
from collections.abc import Sequence

from app.cli import read_settings, unknown_variables, unset_service_links
from app.exceptions import StartupError
from app.observability.log_config import configure_logs
from app.process_tuning import exit_now
from training.environment import tolerate_warnings

logger = logging.getLogger("app")


def main() -> int:
    """Serve, and return the exit code: 0 after a signal to stop, 1 if nothing can be served, 2 for a wrong setting."""
    if sys.argv[1:2] in (["client"], ["status"]):
        return run_client(sys.argv[1], sys.argv[2:])
    if sys.argv[1:2] == ["models"]:
        from app.models_cli import run_models  # noqa: PLC0415 -- imports NumPy, which the client starts without

        return run_models(sys.argv[2:])
    tolerate_warnings()
    service_links = unset_service_links()
    settings = read_settings(sys.argv[1:])
    configure_logs(settings.log_level, settings.log_format)
    if service_links:
        logger.warning(
            "ignored, because Kubernetes sets them for a Service named triptych: %s; "
            "set enableServiceLinks: false in the pod to be rid of this line",
            ", ".join(service_links),
        )
    for name in unknown_variables(os.environ):
        logger.warning("%s is not a setting and has no effect; see `python -m app --help`", name)
    from app.server.run import serve  # noqa: PLC0415 -- imports FastAPI, which the client doesn't need

    try:
        serve(settings)
    except StartupError as error:
        for reason in str(error).splitlines():
            print(f"python -m app: error: {reason}", file=sys.stderr)
        return 1
    return 0


def run_client(command: str, arguments: Sequence[str]) -> int:
    """Run `python -m app client` or `python -m app status`, and return its exit code."""
    name = f"python -m app {command}"
    try:
        from app.client import command as client  # noqa: PLC0415 -- an extra
        from app.client import status  # noqa: PLC0415 -- an extra
    except ModuleNotFoundError as error:
        print(f"{name}: error: {error.name} is missing: pip install 'triptych[client]'", file=sys.stderr)
        return 1
    cli = client.cli if command == "client" else status.cli
    code: int | None = cli(arguments, prog_name=name, standalone_mode=True)
    return code or 0


if __name__ == "__main__":
    exit_now(main())
