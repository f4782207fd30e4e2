"""Decodes image files to gray images, for training and for serving alike. Resizes nothing and applies no limits.

Of the metadata only the EXIF orientation is read, from JPEG, PNG, WebP and TIFF; AVIF and HEIC are rotated by their
container. XMP, ICC profiles, gamma and text are never parsed: levels are those that the pixel format declares.
"""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# Two plugins are imported by name, or Pillow would import all it has for the first file that needs either.
from PIL import (
    AvifImagePlugin,  # noqa: F401
    Image,
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from training.data.image_formats.av1 import count_frame_pixels
from training.data.image_formats.bmp import prepare_bmp
from training.data.image_formats.gray_image import GrayImage
from training.data.image_formats.heif import find_heif_format, import_heif_plugin, without_heif_metadata
from training.data.image_formats.jpeg import open_jpeg
from training.data.image_formats.png import open_png
from training.data.image_formats.tags import read_orientation
from training.data.image_formats.tiff import SIGNATURES as TIFF_SIGNATURES
from training.data.image_formats.tiff import open_tiff

FORMATS: Final = ("PNG", "JPEG", "WebP", "GIF", "BMP", "TIFF", "AVIF", "HEIC")
"""The formats that are decoded; HEIC only with the extra `heic`."""

ALLOCATING_ON_OPEN: Final = frozenset({"WEBP", "AVIF", "HEIF"})
"""Pillow's names of the formats whose decoders may allocate all pixels before the size can be checked."""

# The plugins check little, so almost any error can be raised.
# A MemoryError is a header that announces terabytes; an AssertionError is one of Pillow's own.
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
"""Exceptions that broken or hostile files raise, besides `Image.DecompressionBombError` and `DataError`."""

_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    *((signature, "TIFF") for signature in TIFF_SIGNATURES),
)


@dataclass(frozen=True, slots=True)
class OpenedImage:
    """An image file with its header read."""

    pixels: int
    """Number of pixels that decoding allocates, padding of tiles included."""

    decode: Callable[[], GrayImage]
    """Decodes the pixels of the first frame or page."""


def detect_format(data: bytes) -> str | None:
    """Return Pillow's name of the format, from the first bytes; None for any other kind of file."""
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return find_heif_format(data)


def open_image(data: bytes) -> OpenedImage:
    """Read the header of an image file.

    Raises:
        DataError: Its kind of pixel isn't supported, or it is HEIC and the extra isn't installed.
        Exception: Any of `DECODING_ERRORS`, or a `DecompressionBombError` of Pillow.
    """
    name = detect_format(data)
    frame_pixels = 0
    match name:
        case None:
            raise UnidentifiedImageError
        case "PNG":
            return OpenedImage(*open_png(data))
        case "JPEG":
            return OpenedImage(*open_jpeg(data))
        case "BMP":
            data = prepare_bmp(data)
        case "TIFF":
            return OpenedImage(*open_tiff(data))
        case "AVIF":
            data = without_heif_metadata(data)
            # A frame larger than the picture is decoded too, and reduced afterwards.
            frame_pixels = count_frame_pixels(data)
        case "HEIF":
            import_heif_plugin()
            data = without_heif_metadata(data)
    picture = Image.open(io.BytesIO(data), formats=[name])

    def decode() -> GrayImage:
        picture.load()
        return GrayImage.from_pillow(picture, orientation=read_orientation(picture.info.get("exif")))

    return OpenedImage(max(picture.width * picture.height, frame_pixels), decode)
