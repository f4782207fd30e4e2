"""`python -m training show`: prints reconstructions and samples of a checkpoint, or draws its figures."""

from pathlib import Path
from typing import Annotated

import typer

from training.checkpoints.checkpoint import load_checkpoint
from training.commands.options.data import DataDirOption, OwnInvertOption, load_dataset_of
from training.process.console import plain_console
from training.reporting.run_folder import read_metrics
from training.reporting.terminal_view import print_view


def show(
    *,
    checkpoint: Annotated[Path, typer.Option(help="A model.safetensors file; its framework isn't needed.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Draw PNG files into this folder instead, replacing those there.", file_okay=False),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Data set of the images; by default, the checkpoint's own.")
    ] = None,
    data_dir: DataDirOption = None,
    invert: OwnInvertOption = None,
) -> None:
    """Print reconstructions and samples; with --out, draw them, the latent space and the learning curves."""
    model = load_checkpoint(checkpoint)
    images = load_dataset_of(model, dataset, data_dir=data_dir, invert=invert)
    console = plain_console()
    if out is None:
        print_view(console, model, images)
        return
    # matplotlib takes half a second to import: only the commands that draw pay for it.
    from training.reporting.figures.checkpoint_figures import draw_figures  # noqa: PLC0415

    for figure in draw_figures(out, model, images, read_metrics(checkpoint.parent)):
        console.print(str(figure.path) if figure.reason is None else f"no {figure.path.name}: {figure.reason}")
