"""The command line of the trainers: its commands, and how an error ends it."""

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
    help="Train and measure one variational autoencoder in JAX, TensorFlow or PyTorch.",
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
    """Train and measure one variational autoencoder in JAX, TensorFlow or PyTorch."""


if __name__ == "__main__":
    try:
        cli()
    except TrainingError as error:
        Console(stderr=True).print(f"error: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        sys.exit(2 if isinstance(error, ConfigError | UnknownFrameworkError) else 1)
