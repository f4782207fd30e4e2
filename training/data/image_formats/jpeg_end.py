"""Decodes JPEG files that lack their end marker, if all of the scans' data are there. Accepts no other damage.

Frames of MJPEG and pictures of IP cameras may end without the two bytes FF D9, which libjpeg and browsers supply.
libjpeg shows a picture that is cut short as well, gray from the cut on, and only warns, which Pillow hides. So the
picture is decoded twice, with nothing and with noise after the data: if it is whole, that makes no difference.

What stays undetected is a cut of the last bytes without which few pixels, or none, are another by a level or two.
Arithmetic coding, whose last zeros may be left out, is refused.
"""

import io
import re
from collections.abc import Iterator
from typing import Final

from PIL import Image, ImageChops

END_OF_IMAGE: Final = 0xD9
START_OF_SCAN: Final = 0xDA

_END: Final = b"\xff\xd9"
_BASELINE_TO_PROGRESSIVE: Final = frozenset({0xC0, 0xC1, 0xC2})
_RESTARTS: Final = tuple(bytes((0xFF, marker)) for marker in range(0xD0, 0xD8))
_COEFFICIENTS: Final = 64
_MAX_COMPONENTS: Final = 4

# Begins with a one: libjpeg supplies zeros. Without 0xFF, it holds no marker.
_NOISE: Final = bytes((167 + 89 * index) % 255 for index in range(64))

# In a scan's data 0xFF is followed by a stuffed 0, by a restart marker, or by more 0xFF.
_MARKER: Final = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")


def find_markers(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield each marker of a file's first image, to its end marker, with the position behind it."""
    position = 0
    while match := _MARKER.search(data, position):
        marker = match[1][0]
        yield marker, match.end()
        if marker == END_OF_IMAGE:
            break
        # The segment's length counts its own two bytes; skipping it leaves out a thumbnail's markers.
        position = match.end() + max(int.from_bytes(data[match.end() : match.end() + 2]), 2)


def lacks_end(data: bytes) -> bool:
    """Return whether nothing is missing from a file's headers but the end marker; scans' data may be missing."""
    if data.endswith(_END):
        return False
    left: set[tuple[int, int]] | None = None
    for marker, position in find_markers(data):
        segment = data[position : position + int.from_bytes(data[position : position + 2])]
        if marker == END_OF_IMAGE or (marker in _BASELINE_TO_PROGRESSIVE and left is not None):
            return False
        if marker in _BASELINE_TO_PROGRESSIVE:
            components = segment[8::3][:_MAX_COMPONENTS]
            left = {(component, index) for component in components for index in range(_COEFFICIENTS)}
        elif marker == START_OF_SCAN and left is not None and len(segment) >= 6:
            components = segment[3:-3:2][:_MAX_COMPONENTS]
            first, last, precision = segment[-3:]
            # The low half counts the bits that later scans add.
            if precision & 15 == 0:
                left -= {(component, index) for component in components for index in range(first, last + 1)}
    return left is not None and not left


def load_without_end(data: bytes) -> Image.Image:
    """Return the decoded picture of a file that lacks its end marker.

    Raises:
        OSError: Data of its scans are missing.
    """
    data = data.rstrip(b"\xff")  # half of a marker, or fill bytes
    picture = _load(data + _END)
    # Before a restart marker, noise would be skipped: the next one is put into it.
    scan = data.rfind(b"\xff\xda")
    last = max(range(8), key=lambda number: data.rfind(_RESTARTS[number], scan))
    following = (last + 1) % 8 if data.find(_RESTARTS[last], scan) >= 0 else 0
    noisy = _load(data + _NOISE + _RESTARTS[following] + _NOISE + _END)
    if ImageChops.difference(picture, noisy).getbbox() is not None:
        raise OSError("the data of the scans is cut short")
    return picture


def _load(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data), formats=["JPEG"])
    picture.load()
    return picture
