"""Decodes TIFF files at the depth and in the interpretation that they declare.

Pillow and libtiff undo the compression only: each row is decoded as bytes, and NumPy makes samples of them. Pillow's
own modes don't hold most kinds of pixel: it drops bits, or ignores the interpretation. Fax and JPEG compression,
which know their pixels, are left to libtiff whole.
"""

import io
import math
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray
from PIL import Image

from training.data.image_formats import tiff_layout as tl
from training.data.image_formats.gray_image import GrayImage
from training.data.image_formats.jpeg import check_scans
from training.data.image_formats.tags import orientation_of
from training.data.image_formats.tiff_layout import TiffLayout, read_layout
from training.data.image_formats.tiff_samples import read_samples, undo_predictor
from training.data.image_formats.tiff_shades import to_gray_image

SIGNATURES: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_BLOCK_BYTES: Final = 2**22


def open_tiff(data: bytes) -> tuple[int, Callable[[], GrayImage]]:
    """Return the number of stored pixels of the first page, and a function that decodes them.

    Raises:
        DataError: Its kind of pixel isn't supported; once decoded, also a float outside [0, 1].
    """
    layout = read_layout(data)
    decode = _decode_samples if layout.compression in tl.LOSSLESS else _decode_whole
    # A pixel of more than 16 bytes takes the memory of several.
    weight = math.ceil(layout.bits * layout.samples / 128)
    return layout.stored_width * layout.stored_height * weight, lambda: decode(data, layout)


def _decode_whole(data: bytes, layout: TiffLayout) -> GrayImage:
    """Decode with libtiff what it decodes to 1 or 8 bits a channel."""
    if layout.compression in {tl.JPEG, tl.OLD_JPEG}:
        offsets = layout.tags.get(tl.TILE_OFFSETS) or layout.tags.get(tl.STRIP_OFFSETS, ())
        for offset in offsets:
            check_scans(data[offset:])
    kept_tags = {tl.BITS, tl.PHOTOMETRIC, tl.SAMPLES, tl.EXTRA_SAMPLES, tl.ROWS_PER_STRIP, tl.PLANAR} | tl.CODEC_TAGS
    kept_tags |= {tl.STRIP_OFFSETS, tl.STRIP_COUNTS, tl.TILE_OFFSETS, tl.TILE_COUNTS, tl.TILE_WIDTH, tl.TILE_HEIGHT}
    tags = {tag: layout.tags[tag] for tag in kept_tags if tag in layout.tags}
    tags |= {tl.WIDTH: (layout.width,), tl.HEIGHT: (layout.height,), tl.PHOTOMETRIC: (layout.photometric,)}
    picture = _load(data, tags, layout)
    return GrayImage.from_pillow(picture, orientation=orientation_of(layout.tags))


def _decode_samples(data: bytes, layout: TiffLayout) -> GrayImage:
    planes = [_load_plane(data, layout, plane) for plane in range(layout.samples if layout.is_planar else 1)]
    return to_gray_image(_blocks(planes, layout), layout)


def _blocks(planes: list[Image.Image], layout: TiffLayout) -> Iterator[Shaped[ndarray, "rows width samples"]]:
    """Yield the samples some rows at a time, so that the widest of types takes little memory."""
    count = 1 if layout.is_planar else layout.samples
    # Depths that aren't whole bytes are unpacked to a byte for each bit.
    row_bytes = layout.stored_width * layout.samples * max(layout.bits, 8)
    rows = max(_BLOCK_BYTES // row_bytes, 1)
    for top in range(0, layout.height, rows):
        bottom = min(top + rows, layout.height)
        parts = []
        for plane in planes:
            raw = np.asarray(plane.crop((0, top, plane.width, bottom)))
            if layout.compression == tl.NONE or layout.predictor == 1:
                samples = read_samples(raw, layout, count)
            else:
                samples = undo_predictor(raw, layout, count)
            parts.append(samples[:, : layout.width])
        yield parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)


def _load_plane(data: bytes, layout: TiffLayout, plane: int) -> Image.Image:
    """Return the decompressed bytes of each row, as an image in mode L."""
    bits = layout.bits * (1 if layout.is_planar else layout.samples)
    tags: dict[int, tuple[int, ...]] = {
        tl.WIDTH: (math.ceil(layout.stored_width * bits / 8),),
        tl.HEIGHT: (layout.height,),
        tl.BITS: (8,),
        tl.PHOTOMETRIC: (tl.BLACK_IS_ZERO,),
        tl.SAMPLES: (1,),
    }
    if layout.tile is None:
        rows = min(layout.tags.get(tl.ROWS_PER_STRIP, (layout.height,))[0], layout.height)
        if rows < 1:
            raise ValueError("strips without rows")
        count = math.ceil(layout.height / rows)
        places = (tl.STRIP_OFFSETS, tl.STRIP_COUNTS)
        tags[tl.ROWS_PER_STRIP] = (rows,)
    else:
        count = layout.stored_width // layout.tile[0] * (layout.stored_height // layout.tile[1])
        places = (tl.TILE_OFFSETS, tl.TILE_COUNTS)
        tags |= {tl.TILE_WIDTH: (layout.tile[0] * bits // 8,), tl.TILE_HEIGHT: (layout.tile[1],)}
    for tag in places:
        if tag in layout.tags:
            tags[tag] = layout.tags[tag][plane * count : (plane + 1) * count]
    if len(tags.get(places[0], ())) != count:
        raise ValueError("strips are missing")
    return _load(data, tags, layout)


def _load(data: bytes, tags: Mapping[int, tuple[int, ...]], layout: TiffLayout) -> Image.Image:
    """Return the image of the same data, read under other tags."""
    tags = {tl.COMPRESSION: (layout.compression,), tl.FILL_ORDER: layout.tags.get(tl.FILL_ORDER, (1,)), **tags}
    start = len(data) + len(data) % 2
    entries, values = b"", b""
    values_start = start + 2 + 12 * len(tags) + 4
    for tag, numbers in sorted(tags.items()):
        is_bytes = tag == 347  # JPEGTables, the only one of type UNDEFINED
        kind, letter = (7, "B") if is_bytes else (3, "H") if max(numbers) < 2**16 else (4, "I")
        packed = struct.pack(f"<{len(numbers)}{letter}", *numbers)
        if len(packed) > 4:
            position = values_start + len(values)
            values += packed + bytes(len(packed) % 2)
            packed = struct.pack("<I", position)
        entries += struct.pack("<HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<I", start)
    directory = struct.pack("<H", len(tags)) + entries + bytes(4) + values
    file = io.BytesIO(head + data[8:].ljust(start - 8, b"\0") + directory)
    picture = Image.open(file, formats=["TIFF"])
    picture.load()
    return picture
