"""Makes a gray image of TIFF samples, by their photometric interpretation. Knows nothing of compression."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from jaxtyping import Float32, Shaped, UInt8
from numpy import ndarray
from PIL import Image

from training.data.image_formats import tiff_layout as tl
from training.data.image_formats.gray_image import LUMA, GrayImage
from training.data.image_formats.tags import orientation_of
from training.data.image_formats.tiff_layout import TiffLayout
from training.errors import DataError

_EIGHT_BITS: Final = 8


def to_gray_image(blocks: Iterable[Shaped[ndarray, "rows width samples"]], layout: TiffLayout) -> GrayImage:
    """Return the image: in mode L if samples have at most 8 bits, as Pillow makes it of the same PNG, or else in F.

    Raises:
        DataError: A float isn't from 0 to 1.
    """
    is_shallow = layout.bits <= _EIGHT_BITS
    shades: list[ndarray] = []
    alphas: list[ndarray] = []
    for block in blocks:
        levels = _to_8_bits(block, layout) if is_shallow else _to_floats(block, layout)
        if layout.alpha is not None:
            alphas.append(np.ascontiguousarray(levels[..., layout.channels]))
        colors = np.ascontiguousarray(levels[..., : layout.channels])
        shades.append(_shallow_shades(colors, layout) if is_shallow else _deep_shades(colors, layout))
    return GrayImage(
        pixels=Image.fromarray(np.concatenate(shades)),
        alpha=Image.fromarray(np.concatenate(alphas)) if alphas else None,
        is_premultiplied=layout.alpha == 1,
        orientation=orientation_of(layout.tags),
        white=1 if layout.is_float else 2**layout.bits - 1,
    )


def _to_8_bits(
    block: Shaped[ndarray, "rows width samples"], layout: TiffLayout
) -> UInt8[ndarray, "rows width samples"]:
    if layout.bits == _EIGHT_BITS or layout.photometric == tl.PALETTE:
        return block.astype(np.uint8, copy=False)
    white = 2**layout.bits - 1
    scaled: UInt8[ndarray, "rows width samples"] = ((block * 255 + white // 2) // white).astype(np.uint8)
    return scaled


def _to_floats(
    block: Shaped[ndarray, "rows width samples"], layout: TiffLayout
) -> Float32[ndarray, "rows width samples"]:
    if not layout.is_float:
        # Float64 holds 32 bits exactly; of 64 the lowest don't matter.
        white = 2**layout.bits - 1
        dtype = np.dtype(np.float32 if layout.bits <= 16 else np.float64)
        shares: Float32[ndarray, "rows width samples"] = np.divide(block, white, dtype=dtype).astype(
            np.float32, copy=False
        )
        return shares
    used = block[..., : layout.channels + (layout.alpha is not None)]
    right = (used >= 0) & (used <= 1)
    if not right.all():
        value = used[~right][0]
        problem = "aren't finite" if not np.isfinite(value) else f"are outside 0 to 1, such as {value}"
        raise DataError(f"has pixels that {problem}: expected floats from 0 (black) to 1 (white)")
    return used.astype(np.float32)


def _shallow_shades(colors: UInt8[ndarray, "rows width channels"], layout: TiffLayout) -> UInt8[ndarray, "rows width"]:
    match layout.photometric:
        case tl.RGB:
            return np.asarray(Image.fromarray(colors).convert("L"))
        case tl.PALETTE:
            palette = Image.fromarray(_read_palette(layout)[np.newaxis]).convert("L")
            return np.take(np.asarray(palette), colors[..., 0])
        case tl.CMYK:
            size = (colors.shape[1], colors.shape[0])
            return np.asarray(Image.frombytes("CMYK", size, colors.tobytes()).convert("L"))
        case tl.WHITE_IS_ZERO:
            return 255 - colors[..., 0]
    return colors[..., 0]  # gray, or luma


def _deep_shades(colors: Float32[ndarray, "rows width channels"], layout: TiffLayout) -> Float32[ndarray, "rows width"]:
    match layout.photometric:
        case tl.RGB:
            return np.asarray((colors @ LUMA).clip(0, 1))
        case tl.CMYK:
            inks = 1 - colors
            return np.asarray(((inks[..., :3] * inks[..., 3:]) @ LUMA).clip(0, 1))
        case tl.WHITE_IS_ZERO:
            return 1 - colors[..., 0]
    return colors[..., 0]


def _read_palette(layout: TiffLayout) -> UInt8[ndarray, "colors 3"]:
    count = 2**layout.bits
    values = np.array(layout.tags.get(tl.COLOR_MAP, ()), np.uint16)
    if len(values) < 3 * count:
        raise ValueError("the color map is missing")
    # Some writers put 8 bits where the format has 16.
    if values.max() > 255:
        values >>= 8
    return np.ascontiguousarray(values[: 3 * count].reshape(3, count).T.astype(np.uint8))
