"""`python -m training gallery`: writes the companion file of a checkpoint, the page's source of examples."""

from pathlib import Path
from typing import Annotated

import typer

from training.checkpoints.checkpoint import load_checkpoint
from training.checkpoints.model_files import locate
from training.commands.options.data import DataDirOption, OwnInvertOption, load_dataset_of
from training.process.console import plain_console
from training.reporting.companion import write_companions


def gallery(
    *,
    checkpoint: Annotated[Path, typer.Option(help="FRAMEWORK/NAME.safetensors; its framework isn't needed.")],
    dataset: Annotated[str | None, typer.Option(help="Data set to take images from; by default, its own.")] = None,
    data_dir: DataDirOption = None,
    invert: OwnInvertOption = None,
) -> None:
    """Write NAME.companion.json beside a checkpoint: test images, their latent means and a map of the latent space.

    Checkpoints of that name that other frameworks trained on the same data,
    in the folders beside it, get theirs too, with linear maps between their
    latent spaces.
    """
    model = load_checkpoint(checkpoint)
    images = load_dataset_of(model, dataset, data_dir=data_dir, invert=invert)
    console = plain_console()
    for path in write_companions(locate(checkpoint), images):
        console.print(str(path))
