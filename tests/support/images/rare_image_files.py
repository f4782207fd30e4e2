"""Files that show the scene of `image_files` as Pillow can't write it: BMP and GIF by hand, AVIF by avifenc."""

import struct
from base64 import b64decode

import numpy as np

from tests.support.images.image_files import scene

_BLACK_WHITE = bytes([0, 0, 0, 255, 255, 255])
_V4_MASKS = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
_COLOR_SPACE = b"BGRs" + bytes(48)

ARITHMETIC_JPEG = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoK"
    "CgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK"
    "CgoKCgoKCgr/yQARCAAcABwDASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwDS4yUM3v8AOApMWUjgGTj0hxR5ioVA"
    "Cvn0qXeT/wCZnRjsd5p9IelwB5plmnQlEfSNiVCiWgaguXq4us4jDaSU5gwKEEDWLB3tkC+Pv6Lcg6/R3F7bmT4L+/Shx2JG0MKL"
    "brcMNdLVz6/VsP/Z"
)
"""The scene by `cjpeg -arithmetic -quality 95`."""

AVIF_10_BIT = b64decode(
    "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUEAAADybWV0YQAAAAAAAAAoaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAA"
    "AGxpYmF2aWYAAAAADnBpdG0AAAAAAAEAAAAeaWxvYwAAAABEAAABAAEAAAABAAABGgAAACEAAAAoaWluZgAAAAAAAQAAABppbmZl"
    "AgAAAAABAABhdjAxQ29sb3IAAAAAamlwcnAAAABLaXBjbwAAABRpc3BlAAAAAAAAABwAAAAcAAAAEHBpeGkAAAAAAwoKCgAAAAxh"
    "djFDgSBAAAAAABNjb2xybmNseAABAA0ABoAAAAAXaXBtYQAAAAAAAAABAAEEAQKDBAAAACltZGF0EgAKCDgRN7YwENBpMhNEIAAA"
    "FMZJc0/70xrigWzgLLcY"
)
"""The scene by `avifenc -d 10 -y 444 --min 0 --max 5`."""

AVIF_12_BIT = b64decode(
    "AAAAHGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZgAAAPJtZXRhAAAAAAAAAChoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAbGli"
    "YXZpZgAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAEWAAAAIwAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAA"
    "AAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAAHAAAABwAAAAQcGl4aQAAAAADDAwMAAAADGF2MUOB"
    "QGwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAAK21kYXQSAAoJWBE3tjQENBuEMhREIAAAFMZJ"
    "cxQAfTHHwCw/NJoxQA=="
)
"""The scene by `avifenc -d 12 -y 420 --min 0 --max 5`."""


def _levels():
    """Return the scene from its last row to its first, as BMP has it."""
    return np.asarray(scene())[::-1]


def bmp(pixels, depth, *, compression=0, header=b"", masks=b"", palette=b"", height=28):
    """Return a BMP of 28 x 28; `header` follows the 40 bytes that all have."""
    size = 40 + len(header)
    fields = (size, 28, height, 1, depth, compression, len(pixels), 2835, 2835, len(palette) // 4, 0)
    start = 14 + size + len(masks) + len(palette)
    lead = b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start)
    return lead + struct.pack("<IiiHHIIiiII", *fields) + header + masks + palette + pixels


def bmps():
    """Return BMP files by name, each of which shows the scene."""
    levels = _levels()
    indices = levels // 255
    palette = bytes([0, 0, 0, 0, 255, 255, 255, 0])
    gray = np.zeros((28, 28, 4), np.uint8)
    gray[..., :3] = levels[..., np.newaxis]
    ink = np.full((28, 28, 4), 255, np.uint8)
    ink[..., 3] = levels
    five, six = levels.astype(np.uint16) >> 3, levels.astype(np.uint16) >> 2
    runs = [[bytes([14, row[0]]), bytes([14, row[14]]), b"\0\0"] for row in indices]
    runs_of_4 = [[bytes([14, row[0] * 17]), bytes([14, row[14] * 17]), b"\0\0"] for row in indices]
    padded = np.pad(indices, ((0, 0), (0, 4)))
    return {
        "32 bits, the fourth byte unused": bmp(gray.tobytes(), 32),
        "alpha, V4": bmp(ink.tobytes(), 32, compression=3, header=_V4_MASKS + _COLOR_SPACE),
        "alpha, V5": bmp(ink.tobytes(), 32, compression=3, header=_V4_MASKS + _COLOR_SPACE + bytes(16)),
        "16 bits, 5 each": bmp((five << 10 | five << 5 | five).astype("<u2").tobytes(), 16),
        "16 bits, 5 6 5": bmp(
            (five << 11 | six << 5 | five).astype("<u2").tobytes(),
            16,
            compression=3,
            masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F),
        ),
        "RLE8": bmp(b"".join(map(b"".join, runs)) + b"\0\1", 8, compression=1, palette=palette),
        "RLE4": bmp(b"".join(map(b"".join, runs_of_4)) + b"\0\1", 4, compression=2, palette=palette),
        "top row first": bmp(gray[::-1].tobytes(), 32, height=-28),
        "8 bits, a palette of black and white": bmp(indices.tobytes(), 8, palette=palette),
        "4 bits, a palette of black and white": bmp(
            (padded[:, ::2] << 4 | padded[:, 1::2]).astype(np.uint8).tobytes(), 4, palette=palette
        ),
        "OS/2": b"BM"
        + struct.pack("<IHHIIHHHH", 26 + 3 * 784, 0, 0, 26, 12, 28, 28, 1, 24)
        + np.repeat(levels, 3).tobytes(),
    }


def gif(indices, *, screen=(28, 28), palette=b"", own_palette=b"", transparent=None, background=0):
    """Return a GIF of one frame, at the upper left of its screen, with palettes of two colors."""
    height, width = indices.shape
    parts = [b"GIF89a", struct.pack("<HHBBB", *screen, 0x80 if palette else 0, background, 0), palette]
    if transparent is not None:
        parts.append(b"\x21\xf9\x04\x01\0\0" + bytes([transparent, 0]))
    parts += [struct.pack("<BHHHHB", 0x2C, 0, 0, width, height, 0x80 if own_palette else 0), own_palette]
    return b"".join([*parts, _codes(indices.ravel()), b";"])


def gifs():
    """Return GIF files by name, each of which shows the scene."""
    indices = np.asarray(scene()) // 255
    white_black = _BLACK_WHITE[::-1]
    corner = np.ones((14, 14), np.uint8)
    return {
        "a palette of the frame's own over another": gif(indices, palette=white_black, own_palette=_BLACK_WHITE),
        "a palette of the frame's own only": gif(indices, own_palette=_BLACK_WHITE),
        "a frame smaller than its screen": gif(corner, palette=_BLACK_WHITE),
        "a smaller frame on a bright background": gif(corner, palette=_BLACK_WHITE, background=1),
        "a smaller frame, transparent around": gif(corner, palette=_BLACK_WHITE, transparent=0),
        "a frame larger than its screen": gif(indices, screen=(14, 14), palette=_BLACK_WHITE),
    }


def _codes(indices):
    """Return indices below 4 as LZW that never builds a table: a clear code before every second."""
    codes = [code for at in range(0, len(indices), 2) for code in (4, *indices[at : at + 2])] + [5]
    bits = sum(int(code) << 3 * at for at, code in enumerate(codes))
    content = bits.to_bytes((3 * len(codes) + 7) // 8, "little")
    blocks = [content[at : at + 255] for at in range(0, len(content), 255)]
    return b"\2" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
