"""What a model makes of images, on a terminal: two pixels to a character. No files, no matplotlib."""

import math
from typing import Final

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from PIL import Image
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

from training.checkpoint import Checkpoint
from training.data import Dataset
from training.loop import EVALUATION_TARGET
from training.reporting import pictures

_MOST_COLUMNS: Final = 8
_SHADES: Final = " .:-=+*#%@"  # from black to white, for a terminal that shows light on dark, and for files


def print_view(console: Console, checkpoint: Checkpoint, dataset: Dataset) -> None:
    """Print test images, their reconstructions and samples of the prior, as many side by side as the console is wide.

    Raises:
        ConfigError: The data set's images haven't the model's shape.
    """
    images = pictures.shown_images(dataset, checkpoint.model, most=_MOST_COLUMNS)
    shape = checkpoint.model.image_shape
    reduction = math.ceil(shape[1] / console.width)
    width = math.ceil(shape[1] / reduction)
    columns = min((console.width + 1) // (width + 1), len(images))
    size = "" if reduction == 1 else f", at 1/{reduction} of their size, for the terminal has {console.width} columns"
    console.print(
        f"{checkpoint.framework}, {dataset.name}: test images, target {EVALUATION_TARGET}{size}; below them their "
        "reconstructions, the probabilities at the mean of q(z|x)"
    )
    for row in pictures.reconstruct(checkpoint.weights, images[:columns], shape, rows=1):
        _print_row(console, row, reduction)
    console.print("samples: probabilities p(x|z) for z drawn from N(0, I)")
    for row in pictures.sample(checkpoint.weights, shape, rows=1, columns=columns):
        _print_row(console, row, reduction)


def _print_row(console: Console, tiles: Float32[ndarray, "columns height width"], reduction: int) -> None:
    gray = [np.array(Image.fromarray(tile).reduce(reduction)) for tile in tiles]
    height = gray[0].shape[0]
    cells = [np.pad(tile, ((0, height % 2), (0, 0))).reshape(-1, 2, tile.shape[1]) for tile in gray]
    for line in range(len(cells[0])):
        text = Text(" ").join(_characters(tile[line], colored=console.color_system is not None) for tile in cells)
        console.print(text)
    console.print()


def _characters(pixels: Float32[ndarray, "two width"], *, colored: bool) -> Text:
    if not colored:
        levels = np.rint(pixels.mean(axis=0) * (len(_SHADES) - 1)).astype(int)
        return Text("".join(_SHADES[level] for level in levels))
    text = Text()
    for upper, lower in np.rint(255 * pixels.T).astype(int).tolist():
        # The upper half block in the upper pixel's gray, on the lower one's.
        text.append("\N{UPPER HALF BLOCK}", Style(color=_gray(upper), bgcolor=_gray(lower)))
    return text


def _gray(level: int) -> Color:
    return Color.from_rgb(level, level, level)
