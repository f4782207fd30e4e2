"""Makes an image of any decoded Pillow picture, for training and for serving alike. Opens and catches nothing."""

import struct
import zlib
from typing import Final

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

# Two plugins are imported by name, or Pillow would import all it has for the first file that needs either.
from PIL import (
    Image,
    ImageOps,
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from training.errors import DataError

FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""The formats that are read, as `Image.open` calls them."""

# Its plugins check little, so almost any error can come out of them.
# A MemoryError is a header that asks for terabytes; an AssertionError is one of Pillow's own.
DECODING_ERRORS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow raises on broken or hostile files, `Image.DecompressionBombError` apart."""

_BLACK, _WHITE = 0, 255
_MAX_UINT16 = 65535


def to_image(picture: Image.Image, *, image_shape: tuple[int, int], invert: bool) -> Float32[ndarray, "height width"]:
    """Return the picture upright, flattened, gray, resized, in [0, 1]; the picture itself is turned upright too.

    With `invert` it is taken as dark on light: laid on white where it is transparent, and 1 - x returned.

    Raises:
        DataError: A pixel of a floating-point picture isn't finite.
    """
    ImageOps.exif_transpose(picture, in_place=True)
    gray = _to_gray(picture, paper=_WHITE if invert else _BLACK)
    height, width = image_shape
    if gray.size != (width, height):
        gray = gray.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    image = np.asarray(gray, dtype=np.float32)
    # Lanczos overshoots at edges; Pillow clips that in 8 bits, not in floats.
    image = image / np.float32(_WHITE) if gray.mode == "L" else image.clip(0, 1)
    return np.float32(1) - image if invert else image


def _to_gray(picture: Image.Image, *, paper: int) -> Image.Image:
    """Return the picture in mode L, or in mode F from 0 to 1 where 8 bits don't hold it."""
    if picture.mode.startswith("I"):  # I, or one of I;16, I;16B, I;16L, I;16N.
        return _from_levels(picture, paper=paper)
    if picture.mode == "F":
        return _from_floats(picture)
    if not picture.has_transparency_data:
        return picture.convert("L")
    # Blending gray values is the same as blending colors, in a quarter of the memory.
    rgba = picture.convert("RGBA")
    return Image.composite(rgba.convert("L"), Image.new("L", rgba.size, paper), rgba.getchannel("A"))


def _from_levels(picture: Image.Image, *, paper: int) -> Image.Image:
    levels = np.asarray(picture)
    gray = levels.clip(0, _MAX_UINT16).astype(np.float32) / np.float32(_MAX_UINT16)
    transparent = picture.info.get("transparency")
    if isinstance(transparent, int):
        gray[levels == transparent] = paper / _WHITE
    return Image.fromarray(gray)


def _from_floats(picture: Image.Image) -> Image.Image:
    gray = np.asarray(picture, dtype=np.float32)
    if not np.isfinite(gray).all():
        raise DataError("has pixels that aren't finite: expected a picture of numbers from 0 to 1")
    return Image.fromarray(gray.clip(0, 1))
