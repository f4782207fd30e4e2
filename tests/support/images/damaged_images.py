"""Makes image files that announce or cost more than they hold, for tests of limits."""

import struct
import zlib

from tests.support.images.image_files import encode, scene
from training.data.image_formats.jpeg import count_scans


def png_chunk(kind, data):
    """Return a chunk of a PNG file, with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb(width, height):
    """Return a PNG whose header announces a size that its data doesn't have."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(1000))) + png_chunk(b"IEND", b"")


def jpeg_with_scans(count):
    """Return a progressive JPEG whose last scan is repeated until there are `count`."""
    data = encode(scene(64), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    scans = count_scans(data, at_most=1000)
    return data[:-2] + data[last:-2] * (count - scans) + data[-2:]
