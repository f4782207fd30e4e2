"""Test images, their reconstructions and samples of a checkpoint, printed on a terminal. No files, no matplotlib."""

from typing import Final

from rich.console import Console

from training.checkpoints.checkpoint import Checkpoint
from training.data import Dataset
from training.engine.run import EVALUATION_TARGET
from training.reporting.figures import image_grids
from training.terminal_images import fit_columns, print_images

_MOST_COLUMNS: Final = 8


def print_view(console: Console, checkpoint: Checkpoint, dataset: Dataset) -> None:
    """Print test images, their reconstructions and samples of the prior, as many side by side as the console is wide.

    Raises:
        DataError: The data set's images haven't the model's shape.
    """
    images = image_grids.shown_images(dataset, checkpoint.model, most=_MOST_COLUMNS)
    shape = checkpoint.model.image_shape
    reduction, fitting = fit_columns(console, shape[1])
    columns = min(fitting, len(images))
    size = "" if reduction == 1 else f", at 1/{reduction} of their size, for the terminal has {console.width} columns"
    console.print(
        f"{checkpoint.framework}, {dataset.name}: test images, target {EVALUATION_TARGET}{size}; below them their "
        "reconstructions, the probabilities at the mean of q(z|x)"
    )
    for row in image_grids.reconstruct(checkpoint.weights, images[:columns], shape, rows=1):
        print_images(console, row, reduction=reduction)
    console.print("samples: probabilities p(x|z) for z drawn from N(0, I)")
    for row in image_grids.sample(checkpoint.weights, shape, rows=1, columns=columns):
        print_images(console, row, reduction=reduction)
