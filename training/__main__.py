"""The command line of the trainers: its commands, and how an error ends it."""

import errno
import os
import sys

import typer
from rich.console import Console

from training.commands.compare import compare
from training.commands.evaluate import evaluate
from training.commands.show import show
from training.commands.train import train
from training.errors import ConfigError, TrainingError, UnknownFrameworkError

cli = typer.Typer(
    name="python -m training",
    help="Train, measure and compare one variational autoencoder in JAX, TensorFlow and PyTorch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.command()(train)
cli.command()(evaluate)
cli.command()(show)
cli.command()(compare)


@cli.callback()
def main() -> None:
    """Train, measure and compare one variational autoencoder in JAX, TensorFlow and PyTorch."""


def run() -> int:
    """Run the command line and return the process's exit code; an error that its user can mend is one line."""
    try:
        try:
            cli()
        finally:
            sys.stdout.flush()
    except TrainingError as error:
        _say(str(error))
        return 2 if isinstance(error, ConfigError | UnknownFrameworkError) else 1
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        _say(f"the output can't be written: {error.strerror}; make room, or send it elsewhere")
        # What is left in the buffer would be written once more at exit, and fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _say(message: str) -> None:
    Console(stderr=True).print(f"error: {message}", style="red", highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(run())
