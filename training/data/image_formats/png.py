"""Decodes PNG files of every depth and color type, with their transparency. Ancillary chunks are dropped unread."""

import io
import struct
from collections.abc import Callable
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt16
from numpy import ndarray
from PIL import Image

from training.data.image_formats.gray_image import LUMA, GrayImage
from training.data.image_formats.tags import read_orientation

_SIGNATURE_BYTES: Final = 8
_GRAY, _RGB, _PALETTE = 0, 2, 3
_MAX_UINT16: Final = 65535


def open_png(data: bytes) -> tuple[int, Callable[[], GrayImage]]:
    """Return the number of pixels, and a function that decodes them."""
    plain, exif, transparent = _split_chunks(data)
    with Image.open(io.BytesIO(plain), formats=["PNG"]) as picture:
        pixels = picture.width * picture.height
    depth, color = plain[24], plain[25]
    orientation = read_orientation(exif)
    white = 2**depth - 1 if color == _GRAY else 255

    def decode() -> GrayImage:
        if color not in {_GRAY, _RGB} or (depth < 16 and transparent is None):
            return GrayImage.from_pillow(_load(plain), orientation=orientation, white=white)
        if depth == 16:
            return _decode_16_bit(plain, transparent, orientation, has_color=color == _RGB)
        levels = np.asarray(_load(plain).convert("L" if color == _GRAY else "RGB"))
        key = np.array(struct.unpack_from(f">{1 if color == _GRAY else 3}H", transparent or b""))
        # Pillow scales gray levels of 1, 2 and 4 bits to 8, but not the transparent one.
        scaled = (key & (2**depth - 1)) * 255 // (2**depth - 1)
        alpha = np.where(_is_key(levels, scaled), np.uint8(0), np.uint8(255))
        gray = Image.fromarray(levels).convert("L")
        return GrayImage(pixels=gray, alpha=Image.fromarray(alpha), orientation=orientation, white=white)

    return pixels, decode


def _split_chunks(data: bytes) -> tuple[bytes, bytes | None, bytes | None]:
    """Return the file without ancillary chunks, the EXIF block, and the transparent level or color."""
    chunks = [data[:_SIGNATURE_BYTES]]
    exif = transparent = None
    color = data[25] if len(data) > 25 else _GRAY
    position = _SIGNATURE_BYTES
    while position < len(data):
        length = int.from_bytes(data[position : position + 4])
        kind = data[position + 4 : position + 8]
        end = position + 12 + length
        if kind == b"eXIf":
            exif = data[position + 8 : end - 4]
        elif kind == b"tRNS" and color != _PALETTE:
            transparent = data[position + 8 : end - 4] if color in {_GRAY, _RGB} else None
        elif kind in {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"}:
            chunks.append(data[position:end])
        if kind == b"IEND":
            break
        position = end
    return b"".join(chunks), exif, transparent


def _load(plain: bytes, rawmode: str | None = None) -> Image.Image:
    picture = Image.open(io.BytesIO(plain), formats=["PNG"])
    if rawmode is not None:
        picture.tile = [tile._replace(args=rawmode) for tile in picture.tile]
    picture.load()
    return picture


def _decode_16_bit(plain: bytes, transparent: bytes | None, orientation: int, *, has_color: bool) -> GrayImage:
    gray, levels = _deep_color(plain) if has_color else _deep_gray(plain)
    alpha = None
    if transparent is not None:
        key = np.array(struct.unpack_from(f">{3 if has_color else 1}H", transparent))
        alpha = Image.fromarray(np.where(_is_key(levels, key), np.float32(0), np.float32(1)))
    return GrayImage(pixels=Image.fromarray(gray), alpha=alpha, orientation=orientation, white=_MAX_UINT16)


def _deep_gray(plain: bytes) -> tuple[Float32[ndarray, "height width"], UInt16[ndarray, "height width"]]:
    levels = np.asarray(_load(plain)).astype(np.uint16, copy=False)
    return levels.astype(np.float32) / np.float32(_MAX_UINT16), levels


def _deep_color(plain: bytes) -> tuple[Float32[ndarray, "height width"], UInt16[ndarray, "height width 3"]]:
    # Pillow has no mode for 16 bits a channel: it decodes either the upper or the lower byte of each.
    high = np.asarray(_load(plain, "RGB;16B"))
    levels = high.astype(np.uint16) << 8
    levels |= np.asarray(_load(plain, "RGB;16L"))
    gray = np.zeros(levels.shape[:2], np.float32)
    for channel, weight in enumerate(LUMA):
        gray += levels[..., channel] * (weight / np.float32(_MAX_UINT16))
    return gray.clip(0, 1), levels


def _is_key(levels: ndarray, key: ndarray) -> ndarray:
    if levels.ndim == 2:
        return np.asarray(levels == key[0])
    matches = levels[..., 0] == key[0]
    for channel in (1, 2):
        matches &= levels[..., channel] == key[channel]
    return np.asarray(matches)
