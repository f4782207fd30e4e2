"""The command line of the service: `python -m app --help` lists its options.

Handles signals and pins the environment, and imports the rest only then.
"""

import signal
import sys
from collections.abc import Sequence

from training.process.stop_signals import Stopped, handle_signals


def main() -> int:
    """Run the command, and return the exit code: 2 for a wrong setting or option, 130 after Ctrl-C."""
    handle_signals()
    command = next((argument for argument in sys.argv[1:2] if not argument.startswith("-")), "")
    if not command:
        # Until the server installs its handler: it reloads nothing yet.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        from training.process.environment import pin_environment, tolerate_warnings  # noqa: PLC0415 -- after signals are handled
        from training.process.output import open_closed_streams, run_and_flush  # noqa: PLC0415 -- after signals are handled

        open_closed_streams()
        # NumPy and jaxtyping read the environment when they are imported.
        tolerate_warnings()
        ignored = pin_environment()
        if command in ("client", "status", "models"):
            return run_and_flush(
                lambda: run_command(command, sys.argv[2:]),
                lambda line: print(f"python -m app {command}: {line}", file=sys.stderr),
            )
        from app.server.command import run_service  # noqa: PLC0415 -- after the environment is set

        return run_service(sys.argv[1:], ignored)
    except Stopped as stopped:
        print(f"python -m app {command}".rstrip() + ": stopped", file=sys.stderr)
        is_service_stop = not command and stopped.number == signal.SIGTERM
        return 0 if is_service_stop else stopped.exit_code


def run_command(command: str, arguments: Sequence[str]) -> int:
    """Run `python -m app client`, `status` or `models`, and return its exit code."""
    if command == "models":
        from app.models_cli import run_models  # noqa: PLC0415 -- imports NumPy, which the client starts without

        return run_models(arguments)
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
    code = main()
    # The service has stopped, and its exit takes milliseconds: a signal that arrives in them changes nothing.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    from app.process_tuning import exit_now

    exit_now(code)
