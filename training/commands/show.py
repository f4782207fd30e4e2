"""`python -m training show`: prints what a checkpoint makes of images, or draws its figures."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.checkpoint import load_checkpoint
from training.commands.data_options import DataDirOption, InvertOption
from training.data import load_dataset
from training.reporting.run_folder import read_metrics
from training.reporting.terminal_view import print_view


def show(
    *,
    checkpoint: Annotated[Path, typer.Option(help="A model.safetensors file; its framework isn't needed.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Draw PNG files into this folder, in place of those there, instead.", file_okay=False),
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Data set to show it with; by default, its own.")] = None,
    data_dir: DataDirOption = None,
    invert: InvertOption = False,
) -> None:
    """Print what a model makes of images and of noise; with --out, draw that, the latent space and its learning."""
    model = load_checkpoint(checkpoint)
    name = dataset or str(model.training.get("dataset", "mnist"))
    # Only pictures have no size of their own.
    image_shape = model.model.image_shape if name.startswith("images:") else None
    images = load_dataset(name, data_dir=data_dir, image_shape=image_shape, invert=invert)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if out is None:
        print_view(console, model, images)
        return
    # matplotlib takes half a second to import, which no other command should.
    from training.reporting.figures import draw_figures  # noqa: PLC0415

    for figure in draw_figures(out, model, images, read_metrics(checkpoint.parent)):
        console.print(str(figure.path) if figure.reason is None else f"no {figure.path.name}: {figure.reason}")
