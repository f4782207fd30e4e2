"""Entry point of `python -m training`: handles signals, pins the environment, and imports the rest only then."""

import sys

from training.process.stop_signals import Stopped, handle_signals


def main() -> int:
    """Run the command line and return the exit code of the process."""
    handle_signals()
    try:
        from training.process.environment import pin_environment, tolerate_warnings  # noqa: PLC0415 -- after signals are handled
        from training.process.output import open_closed_streams  # noqa: PLC0415 -- after signals are handled

        open_closed_streams()
        tolerate_warnings()
        if ignored := pin_environment():
            print(f"ignored, because they could change results: {', '.join(ignored)}", file=sys.stderr)
        try:
            # NumPy, jaxtyping and protobuf read the environment when they are imported.
            from training.commands.application import run  # noqa: PLC0415 -- an extra, too
        except ModuleNotFoundError as error:
            advice = "run `pip install 'triptych[train]'`, or `pip install -e '.[train]'` in a checkout"
            print(f"error: {error.name} is not installed: {advice}", file=sys.stderr)
            return 1
        return run()
    except Stopped as stopped:
        print("stopped", file=sys.stderr)
        return stopped.exit_code


if __name__ == "__main__":
    sys.exit(main())
