"""The command line of the trainers: its commands, and how an error ends it."""

import errno
import os
import sys

import typer
from rich.console import Console

from training.commands.command_line import Command, Stopped, handle_signals, tolerate_encodings
from training.commands.evaluate import evaluate
from training.commands.gallery import gallery
from training.commands.show import show
from training.commands.sweep import sweep
from training.commands.train import train
from training.comparison.command import compare
from training.environment import tolerate_warnings
from training.errors import ConfigError, TrainingError, UnknownFrameworkError

cli = typer.Typer(
    name="python -m training",
    help="Train, measure and compare one variational autoencoder in JAX, TensorFlow and PyTorch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (train, sweep, evaluate, show, gallery, compare):
    cli.command(cls=Command)(command)


@cli.callback()
def main() -> None:
    """Train, measure and compare one variational autoencoder in JAX, TensorFlow and PyTorch."""


def run() -> int:
    """Run the command line and return the process's exit code; an error that its user can fix is one line."""
    tolerate_encodings()
    tolerate_warnings()
    os.environ["MPLBACKEND"] = "agg"  # figures are files; a notebook's backend can't be imported here
    handle_signals()
    try:
        try:
            cli()
        finally:
            sys.stdout.flush()
    except TrainingError as error:
        _say(f"error: {error}")
        return 2 if isinstance(error, ConfigError | UnknownFrameworkError) else 1
    except Stopped as stopped:
        _say("stopped")
        return 128 + stopped.number
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EPIPE}:
            raise
        # What is left in the buffer would be written once more at exit, and fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno != errno.EPIPE:  # a reader that has seen enough is no error
            _say(f"error: the output can't be written: {error.strerror}; free some space, or send it elsewhere")
        return 1
    return 0


def _say(message: str) -> None:
    style = "red" if message.startswith("error") else ""
    Console(stderr=True).print(message, style=style, highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(run())
