"""Writes TIFF files of any kind of pixel for tests: uncompressed, one strip, no metadata."""

import struct

import numpy as np

from tests.support.images.image_files import SCENE_SHAPE, scene

LEVELS = np.asarray(scene(), np.uint64) // 255
"""The scene as 0 and 1."""


def tiff(data, bits, *, photometric=1, sample_format=None, samples=1, extra=None, order="<", tags=()):
    """Return a TIFF of the scene's size, with the pixels in `data`; further tags are (number, type, values)."""
    height, width = SCENE_SHAPE
    entries = [
        (256, 3, [width]),
        (257, 3, [height]),
        (258, 3, [bits] * samples),
        (259, 3, [1]),
        (262, 3, [photometric]),
    ]
    entries += [(273, 4, [8]), (277, 3, [samples]), (278, 3, [height]), (279, 4, [len(data)]), *tags]
    if sample_format is not None:
        entries.append((339, 3, [sample_format] * samples))
    if extra is not None:
        entries.append((338, 3, [extra]))
    start = 8 + len(data) + len(data) % 2
    directory, values = struct.pack(f"{order}H", len(entries)), b""
    for tag, kind, numbers in sorted(entries):
        packed = struct.pack(f"{order}{len(numbers)}{'H' if kind == 3 else 'I'}", *numbers)
        if len(packed) > 4:
            position = start + 2 + 12 * len(entries) + 4 + len(values)
            values += packed
            packed = struct.pack(f"{order}I", position)
        directory += struct.pack(f"{order}HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return (mark + struct.pack(f"{order}I", start) + data).ljust(start, b"\0") + directory + bytes(4) + values


def pack(levels, bits, order="<"):
    """Return unsigned levels as TIFF stores them: whole bytes in byte order, other depths as a row of bits."""
    if bits in {8, 16, 32, 64}:
        return levels.astype(f"{order}u{bits // 8}").tobytes()
    rows = levels.reshape(len(levels), -1)
    digits = (rows[..., np.newaxis] >> np.arange(bits - 1, -1, -1, dtype=np.uint64)) & 1
    return np.packbits(digits.reshape(len(rows), -1).astype(np.uint8), axis=1).tobytes()


def gray_tiff(bits, *, white_is_zero=False, order="<"):
    """Return the scene as unsigned integers of any depth."""
    levels = LEVELS * np.uint64(2**bits - 1)
    if white_is_zero:
        levels = np.uint64(2**bits - 1) - levels
    return tiff(pack(levels, bits, order), bits, photometric=0 if white_is_zero else 1, order=order)


def float_tiff(pixels, bits, *, order="<", photometric=1):
    """Return pixels as floats."""
    data = np.asarray(pixels).astype(f"{order}f{bits // 8}").tobytes()
    return tiff(data, bits, sample_format=3, photometric=photometric, order=order)
