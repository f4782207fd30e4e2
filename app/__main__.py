"""The command line of the service: `python -m app --help` lists its options."""

import logging
import os
import sys

from app.command_line import read_settings, unknown_variables
from app.exceptions import StartupError
from app.logs import configure_logs
from app.serving import serve

logger = logging.getLogger("app")


def main() -> int:
    """Serve, and return the exit code: 0 when told to stop, 1 when nothing can be served, 2 for a wrong setting."""
    settings = read_settings(sys.argv[1:])
    configure_logs(settings.log_level)
    for name in unknown_variables(os.environ):
        logger.warning("%s is not a setting and changes nothing; see `python -m app --help`", name)
    try:
        serve(settings)
    except StartupError as error:
        for reason in str(error).splitlines():
            print(f"python -m app: error: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # A framework that is still loading in its thread would crash the interpreter as it takes itself apart.
    os._exit(code)
