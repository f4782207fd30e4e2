"""Prints images as characters on a terminal, two pixels per character. No files, no matplotlib."""

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

_SHADES: Final = " .:-=+*#%@"  # from black to white, for a terminal that shows light on dark, and for files


def fit_columns(console: Console, image_width: int) -> tuple[int, int]:
    """Return the reduction factor at which images fit the console's width, and the number that fits side by side."""
    reduction = math.ceil(image_width / console.width)
    width = math.ceil(image_width / reduction)
    return reduction, (console.width + 1) // (width + 1)


def print_images(console: Console, images: Float32[ndarray, "batch height width"], *, reduction: int) -> None:
    """Print images of one shape, in [0, 1], side by side, each reduced by an integer factor."""
    gray = [np.array(Image.fromarray(tile).reduce(reduction)) for tile in images]
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
