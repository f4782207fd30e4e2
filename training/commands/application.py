"""The application of `python -m training`: its commands, and how an error ends one."""

import typer

from training.commands.command_line import Command, tolerate_encodings
from training.commands.evaluate import evaluate
from training.commands.gallery import gallery
from training.commands.show import show
from training.commands.sweep import sweep
from training.commands.train import train
from training.comparison.command import compare
from training.errors import ConfigError, TrainingError, UnknownFrameworkError
from training.process.console import plain_console
from training.process.output import run_and_flush

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
    return run_and_flush(_run_command, _say)


def _run_command() -> int:
    try:
        cli()
    except TrainingError as error:
        _say(f"error: {error}")
        return 2 if isinstance(error, ConfigError | UnknownFrameworkError) else 1
    return 0


def _say(message: str) -> None:
    plain_console(stderr=True).print(message, style="red")
