"""Crops and centers a drawing as MNIST's digits were, as the page does. Decodes nothing.

The steps and their constants are those of `app/web/drawing/image_file.js`.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from PIL import Image

from training.data.image_formats.gray_image import GrayImage
from training.errors import DataError

_LONGEST_SIDE: Final = 200
"""Larger images are reduced first: enough for a digit of 20 pixels, and soon searched."""

_BOX_SHARE: Final = 20 / 28
"""Part of the image that MNIST's digits fill."""

_INK: Final = 0.35
"""Least level that counts as ink."""

_PARTS: Final = 6
"""Samples along each side of a pixel."""

_Picture = Float32[ndarray, "height width"]


class NoInkError(DataError):
    """An image shows nothing that stands out from its background."""


def center(gray: GrayImage, *, image_shape: tuple[int, int], invert: bool | None) -> _Picture:
    """Return the drawing in an image, light on dark, in [0, 1]: cropped, fitted and centered by its mass.

    Uneven light and paper grain are removed. The ink is fitted into 20/28 of the image, as MNIST's digits are.

    Args:
        gray: The image.
        image_shape: Height and width of the result.
        invert: The drawing is dark on light; with None it is if the edges are light.

    Raises:
        NoInkError: Nothing stands out from the background.
    """
    levels = _composite(gray)
    if invert is None:
        invert = _has_light_edges(levels)
    ink = _remove_background(1 - levels if invert else levels)
    return _sample(ink, _find_crop(ink, image_shape), image_shape)


def _composite(gray: GrayImage) -> _Picture:
    """Return the image reduced to 200 pixels; transparent parts are white if the visible ones are mostly dark."""
    on_black = _reduce(gray.flatten(on_white=False))
    if gray.alpha is None:
        return on_black
    on_white = _reduce(gray.flatten(on_white=True))
    alpha = 1 - (on_white - on_black)
    return on_white if on_black.sum() < alpha.sum() / 2 else on_black


def _reduce(flat: Image.Image) -> _Picture:
    scale = min(1, _LONGEST_SIDE / max(flat.size))
    width, height = (max(1, math.floor(side * scale + 0.5)) for side in flat.size)
    reduced = flat.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    levels = np.asarray(reduced, np.float32)
    return levels / np.float32(255) if flat.mode == "L" else levels.clip(0, 1)


def _has_light_edges(levels: _Picture) -> bool:
    edges = np.sort(np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]]))
    return bool(edges[len(edges) // 2] > 0.5)


def _remove_background(levels: _Picture) -> _Picture:
    """Subtract the background, a morphological opening in a window wider than any stroke; stretch the contrast."""
    reach = math.ceil(max(levels.shape) / 8)
    eroded = _filter(_filter(levels, reach, np.minimum).T, reach, np.minimum).T
    background = _filter(_filter(eroded, reach, np.maximum).T, reach, np.maximum).T
    ink = levels - background
    percentile = np.sort(ink, axis=None)[math.floor(ink.size * 0.99)]
    peak = max(1e-3, float(percentile), 0.5 * float(ink.max()))
    stretched: _Picture = ((ink / np.float32(peak) - np.float32(0.2)) / np.float32(0.6)).clip(0, 1)
    return stretched


def _filter(levels: _Picture, reach: int, pick: np.ufunc) -> _Picture:
    """Return the minimum or maximum of the `2 * reach + 1` pixels around each pixel of a row."""
    filtered: _Picture = np.pad(levels, ((0, 0), (reach, reach)), mode="edge")
    length, wanted = 1, 2 * reach + 1
    while length < wanted:
        # Windows twice as long, each from two of the last.
        step = min(length, wanted - length)
        filtered = pick(filtered[:, :-step], filtered[:, step:])
        length += step
    return filtered


class _Crop(NamedTuple):
    left: float
    top: float
    scale: float
    """Pixels of the picture for each pixel of the image."""


def _find_crop(ink: _Picture, image_shape: tuple[int, int]) -> _Crop:
    """Return the crop around the ink, specks left out: its center of mass is in the middle."""
    strong = np.where(ink >= _INK, ink, np.float32(0))
    sums = strong.sum(axis=0), strong.sum(axis=1)
    spans = [np.flatnonzero(line >= max(ink.shape) / 100) for line in sums]
    if not all(map(len, spans)):
        raise NoInkError(
            "shows no ink to center: expected a drawing that stands out from its background; "
            "send another image, or leave out centre"
        )
    scale = max(span[-1] + 1 - span[0] for span in spans) / (min(image_shape) * _BOX_SHARE)
    starts = []
    for line, span, size in zip(sums, spans, reversed(image_shape), strict=True):
        middle = float(line @ (np.arange(len(line)) + 0.5)) / float(line.sum())
        # Centered on its mass, but never cut off.
        starts.append(max(span[-1] + 1 - size * scale, min(span[0], middle - size / 2 * scale)))
    left, top = starts
    return _Crop(left, top, scale)


def _sample(ink: _Picture, crop: _Crop, image_shape: tuple[int, int]) -> _Picture:
    """Return the mean ink in each pixel of the crop; there is none outside the picture."""
    rows, inside_rows = _places(crop.top, crop.scale, image_shape[0], ink.shape[0])
    columns, inside_columns = _places(crop.left, crop.scale, image_shape[1], ink.shape[1])
    samples = np.where(inside_rows[:, None] & inside_columns, ink[rows[:, None], columns], np.float32(0))
    height, width = image_shape
    image: _Picture = samples.reshape(height, _PARTS, width, _PARTS).mean(axis=(1, 3), dtype=np.float32)
    return image


def _places(start: float, scale: float, size: int, length: int) -> tuple[ndarray, ndarray]:
    """Return the picture's pixel for each sample along a side, and whether it is inside the picture."""
    places = np.floor(start + (np.arange(size * _PARTS) + 0.5) / _PARTS * scale).astype(int)
    return places.clip(0, length - 1), (places >= 0) & (places < length)
