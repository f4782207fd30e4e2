"""Makes any decoded Pillow picture a gray image of the model's size. Opens and catches nothing."""

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from PIL import Image

from app.codecs.wording import wrong_value

_BLACK, _WHITE = 0, 255
_MAX_UINT16 = 65535


def to_image(
    picture: Image.Image, *, image_shape: tuple[int, int], invert: bool, where: str
) -> Float32[ndarray, "height width"]:
    """Return the picture flattened, gray, resized, in [0, 1].

    With `invert` it is taken as dark on light: laid on white where it is transparent, and 1 - x returned.

    Raises:
        InvalidValueError: A pixel of a floating-point picture isn't finite.
    """
    gray = _to_gray(picture, paper=_WHITE if invert else _BLACK, where=where)
    height, width = image_shape
    if gray.size != (width, height):
        gray = gray.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    image = np.asarray(gray, dtype=np.float32)
    # Lanczos overshoots at edges; Pillow clips that in 8 bits, not in floats.
    image = image / np.float32(_WHITE) if gray.mode == "L" else image.clip(0, 1)
    return np.float32(1) - image if invert else image


def _to_gray(picture: Image.Image, *, paper: int, where: str) -> Image.Image:
    """Return the picture in mode L, or in mode F from 0 to 1 where 8 bits don't hold it."""
    if picture.mode.startswith("I"):  # I, or one of I;16, I;16B, I;16L, I;16N.
        return _from_levels(picture, paper=paper)
    if picture.mode == "F":
        return _from_floats(picture, where=where)
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


def _from_floats(picture: Image.Image, *, where: str) -> Image.Image:
    gray = np.asarray(picture, dtype=np.float32)
    if not np.isfinite(gray).all():
        raise wrong_value(where, "has pixels that aren't finite: expected a picture of numbers from 0 to 1")
    return Image.fromarray(gray.clip(0, 1))
