"""Makes samples of the decompressed bytes of a TIFF's rows: any depth, either byte order, predictors undone."""

from typing import Final

import numpy as np
from jaxtyping import Shaped, UInt8
from numpy import ndarray

from training.data.image_formats.tiff_layout import TiffLayout

_WHOLE_BYTES: Final = frozenset({8, 16, 32, 64})


def read_samples(
    raw: UInt8[ndarray, "rows bytes"], layout: TiffLayout, count: int
) -> Shaped[ndarray, "rows width samples"]:
    """Return `count` samples a pixel, in the machine's byte order."""
    shape = (len(raw), layout.stored_width, count)
    if layout.bits in _WHOLE_BYTES:
        return np.ascontiguousarray(raw).view(_dtype(layout)).reshape(shape)
    total = layout.stored_width * count
    bits = np.unpackbits(raw, axis=1, count=total * layout.bits).reshape(len(raw), total, layout.bits)
    levels = np.zeros((len(raw), total), np.uint32)
    for bit in range(layout.bits):  # the first is the highest, whatever the byte order
        levels <<= 1
        levels |= bits[..., bit]
    return levels.reshape(shape)


def undo_predictor(
    raw: UInt8[ndarray, "rows bytes"], layout: TiffLayout, count: int
) -> Shaped[ndarray, "rows width samples"]:
    """Return the samples, of which the rows hold differences. Source: TIFF 6.0, section 14; Adobe, TIFF Tech Note 3."""
    width = layout.stored_width if layout.tile is None else layout.tile[0]
    tiles = layout.stored_width // width
    if layout.predictor == 2:
        steps = read_samples(raw, layout, count).reshape(len(raw), tiles, width, count)
        dtype = steps.dtype.newbyteorder("=")
        sums = np.cumsum(steps.astype(dtype, copy=False), axis=2, dtype=dtype)
        return sums.reshape(len(raw), -1, count)
    # Of floats the bytes are apart: all highest ones of a row first, whatever the byte order.
    size = layout.bits // 8
    steps = raw.reshape(len(raw), tiles, width * size, count)
    planes = np.cumsum(steps, axis=2, dtype=np.uint8).reshape(len(raw), tiles, size, width * count)
    together = np.ascontiguousarray(planes.swapaxes(2, 3))
    return together.view(f">f{size}").reshape(len(raw), -1, count)


def _dtype(layout: TiffLayout) -> np.dtype:
    return np.dtype(f"{layout.order}{'f' if layout.is_float else 'u'}{layout.bits // 8}")
