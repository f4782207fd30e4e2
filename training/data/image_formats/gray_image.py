"""A decoded gray image with its transparency and orientation. Knows no file format."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from PIL import Image, ImageChops

_TRANSPOSITIONS: Final[Mapping[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue (ITU-R BT.601), as in Pillow's conversion to mode L."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrayImage:
    """A gray image as it is stored: not rotated, not flattened."""

    pixels: Image.Image
    """In mode L, or in mode F with values in [0, 1]."""

    alpha: Image.Image | None = None
    """In the mode of `pixels`; None if the image is opaque."""

    is_premultiplied: bool = False
    """True if `pixels` are already multiplied by alpha."""

    orientation: int = 1
    """EXIF orientation, 1 to 8."""

    white: int = 255
    """Integer level that the file stores for white; 1 if it stores floats or 1 bit."""

    @classmethod
    def from_pillow(cls, picture: Image.Image, *, orientation: int = 1, white: int = 255) -> Self:
        """Return a decoded Pillow image of 1 or 8 bits a channel, of any color mode."""
        if picture.mode == "1":
            white = 1
        if not picture.has_transparency_data:
            return cls(pixels=picture.convert("L"), orientation=orientation, white=white)
        # Blending gray values is the same as blending colors, in a quarter of the memory.
        rgba = picture.convert("RGBA")
        return cls(pixels=rgba.convert("L"), alpha=rgba.getchannel("A"), orientation=orientation, white=white)

    @property
    def is_bilevel(self) -> bool:
        """True if the file stores 1 bit a pixel."""
        return self.white == 1 and self.pixels.mode == "L"

    @property
    def is_mask(self) -> bool:
        """True if all stored levels are 0 or 1, although white is a higher level."""
        top = 255 if self.pixels.mode == "L" else 1
        return self.white > 1 and float(self.pixels.getextrema()[1]) * self.white < 1.5 * top  # type: ignore[arg-type]  # of one channel

    def flatten(self, *, on_white: bool, as_mask: bool = False) -> Image.Image:
        """Return the upright image in mode L or F, composited onto black or white; as a mask, 1 becomes white."""
        scale = self.white if as_mask and self.is_mask else 1
        pixels = self.pixels if scale == 1 else _scale(self.pixels, scale)
        if self.alpha is None:
            flat = pixels
        elif pixels.mode == "L" and self.is_premultiplied:
            flat = ImageChops.add(pixels, ImageChops.invert(self.alpha)) if on_white else pixels
        elif pixels.mode == "L":
            flat = Image.composite(pixels, Image.new("L", pixels.size, 255 if on_white else 0), self.alpha)
        else:
            flat = Image.fromarray(self._blend(np.asarray(pixels), np.float32(on_white)))
        transposition = _TRANSPOSITIONS.get(self.orientation)
        return flat if transposition is None else flat.transpose(transposition)

    def _blend(
        self, pixels: Float32[ndarray, "height width"], background: np.float32
    ) -> Float32[ndarray, "height width"]:
        alpha = np.asarray(self.alpha, dtype=np.float32)
        ink = pixels if self.is_premultiplied else pixels * alpha
        blended: Float32[ndarray, "height width"] = (ink + background * (1 - alpha)).clip(0, 1)
        return blended


def _scale(pixels: Image.Image, white: int) -> Image.Image:
    if pixels.mode == "L":
        return pixels.point([min(level * white, 255) for level in range(256)])
    return Image.fromarray((np.asarray(pixels) * np.float32(white)).round().clip(0, 1))
