"""Decodes JPEG files: removes their metadata first, except for the EXIF orientation."""

import io
from collections.abc import Callable, Mapping
from typing import Final

from PIL import Image

from training.data.image_formats.gray_image import GrayImage
from training.data.image_formats.jpeg_end import (
    END_OF_IMAGE,
    START_OF_SCAN,
    find_markers,
    lacks_end,
    load_without_end,
)
from training.data.image_formats.tags import read_orientation
from training.errors import DataError

MAX_SCANS: Final = 100
"""Most scans of a progressive file; encoders write about ten."""

_EXIF: Final = 0xE1

# APP0 and APP14 tell how colors are coded. The other application segments and comments are metadata.
_METADATA: Final = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})

_FRAMES: Final[Mapping[int, str]] = {
    0xC3: "lossless coding",
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "hierarchical coding"),
    0xCB: "lossless arithmetic coding",
}


class TooManyScansError(DataError):
    """A JPEG file has more scans than are decoded: each costs a pass over all pixels."""


def open_jpeg(data: bytes) -> tuple[int, Callable[[], GrayImage]]:
    """Return the number of pixels, and a function that decodes them.

    Raises:
        DataError: It is coded in a way that isn't supported, or has over 100 scans.
    """
    check_scans(data)
    plain, exif = _strip_metadata(data)
    picture = Image.open(io.BytesIO(plain), formats=["JPEG"])

    def decode() -> GrayImage:
        if lacks_end(plain):
            return GrayImage.from_pillow(load_without_end(plain), orientation=read_orientation(exif))
        picture.load()
        return GrayImage.from_pillow(picture, orientation=read_orientation(exif))

    return picture.width * picture.height, decode


def check_scans(data: bytes) -> None:
    """Raise a `TooManyScansError` if the first image in the data has over 100 scans."""
    if count_scans(data, at_most=MAX_SCANS) > MAX_SCANS:
        raise TooManyScansError(f"has over {MAX_SCANS} scans: save it as a baseline JPEG or a PNG")


def count_scans(data: bytes, *, at_most: int) -> int:
    """Return how many scans the first image of a JPEG file has; counting stops beyond `at_most`.

    A progressive file updates the whole image once a scan: encoders write about ten, but a hostile file
    can hold a scan in 20 bytes, each of which costs a pass over all pixels.
    """
    scans = 0
    for marker, _ in find_markers(data):
        scans += marker == START_OF_SCAN
        if scans > at_most:
            break
    return scans


def _strip_metadata(data: bytes) -> tuple[bytes, bytes | None]:
    """Return the file without its metadata segments, and the first EXIF block."""
    segments = [data[:2]]
    exif = None
    position = 2
    while data[position : position + 1] == b"\xff":
        marker = data[position + 1] if position + 1 < len(data) else END_OF_IMAGE
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker in {START_OF_SCAN, END_OF_IMAGE}:
            break
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4])
        segment = data[position:end]
        if marker == _EXIF and exif is None and segment[4:10] == b"Exif\0\0":
            exif = segment[4:]
        if marker not in _METADATA:
            _check_frame(marker, segment)
            segments.append(segment)
        position = max(end, position + 4)
    segments.append(data[position:])
    return b"".join(segments), exif


def _check_frame(marker: int, segment: bytes) -> None:
    if not 0xC0 <= marker <= 0xCF or marker in {0xC4, 0xC8, 0xCC} or len(segment) < 5:
        return
    if marker in _FRAMES:
        raise DataError(f"is a JPEG with {_FRAMES[marker]}: expected baseline or progressive; save it as one or a PNG")
    if segment[4] != 8:
        raise DataError(f"is a JPEG of {segment[4]} bits a channel: expected 8; save it as an 8-bit JPEG or a PNG")
