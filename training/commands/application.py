"""The application of `python -m training`: its commands, and how an error ends one."""

import errno
import os
import sys

import typer
from rich.console import Console

from training.commands.command_line import Command, tolerate_encodings
from training.commands.evaluate import evaluate
from training.commands.gallery import gallery
from training.commands.show import show
from training.commands.sweep import sweep
from training.commands.train import train
from training.comparison.command import compare
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
    try:
        try:
            cli()
        finally:
            sys.stdout.flush()
    except TrainingError as error:
        _say(f"error: {error}")
        return 2 if isinstance(error, ConfigError | UnknownFrameworkError) else 1
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
    Console(stderr=True).print(message, style="red", highlight=False, markup=False, soft_wrap=True)
