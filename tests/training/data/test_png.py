"""PNG files of every depth and color type are decoded with their levels and transparency."""

import struct
import zlib

import numpy as np
import pytest

from tests.support.images.image_files import scene_image
from tests.support.images.tiff_files import LEVELS, pack
from training.data.image_formats import open_image
from training.data.image_preprocessing import preprocess

GRAY, RGB, GRAY_ALPHA, RGBA = 0, 2, 4, 6
RAMP = np.linspace(0, 1, 784).reshape(28, 28)


def chunk(kind, data):
    """Return a chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(levels, depth, color, *chunks):
    """Return a PNG of levels, big-endian or packed, with further chunks before the pixels."""
    packed = pack(levels, depth, ">")
    size = len(packed) // len(levels)
    rows = b"".join(b"\0" + packed[start : start + size] for start in range(0, len(packed), size))
    header = struct.pack(">IIBBBBB", levels.shape[1], levels.shape[0], depth, color, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def decode(data, *, invert=False):
    """Return the image in a file."""
    return preprocess(open_image(data).decode(), image_shape=(28, 28), invert=invert)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_transparent_gray(depth):
    """The gray level that tRNS names is transparent at each depth; white, which is next to it, is not."""
    white = 2**depth - 1
    levels = np.where(LEVELS == 1, white, white - 1).astype(np.uint64)

    data = png(levels, depth, GRAY, (b"tRNS", struct.pack(">H", white - 1)))

    np.testing.assert_array_equal(decode(data), scene_image())


@pytest.mark.parametrize("depth", [8, 16])
def test_transparent_color(depth):
    """The color that tRNS names is transparent, if all bits of all channels agree."""
    white = 2**depth - 1
    levels = np.where(LEVELS[..., np.newaxis] == 1, white, [white, white, white - 1]).astype(np.uint64)

    data = png(levels, depth, RGB, (b"tRNS", struct.pack(">3H", white, white, white - 1)))

    np.testing.assert_array_equal(decode(data), scene_image())


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_transparent_palette(depth):
    """The colors that tRNS gives no alpha are transparent."""
    palette = (b"PLTE", bytes([255] * 6)), (b"tRNS", b"\0\xff")

    np.testing.assert_array_equal(decode(png(LEVELS, depth, 3, *palette)), scene_image())


@pytest.mark.parametrize("color", [GRAY_ALPHA, RGBA])
@pytest.mark.parametrize("depth", [8, 16])
def test_alpha(depth, color):
    """White ink on nothing is white on black, at 8 and 16 bits."""
    white = np.uint64(2**depth - 1)
    channels = [np.full_like(LEVELS, white)] * (1 if color == GRAY_ALPHA else 3)

    data = png(np.stack([*channels, LEVELS * white], axis=-1), depth, color)

    np.testing.assert_array_equal(decode(data), scene_image())


@pytest.mark.parametrize("color", [GRAY, RGB])
def test_16_bits_keep_their_lower_half(color):
    """Levels of 16 bits, gray or color, are finer than 8 bits."""
    levels = np.rint(RAMP * 65535).astype(np.uint64)
    levels = levels if color == GRAY else np.stack([levels] * 3, axis=-1)

    np.testing.assert_allclose(decode(png(levels, 16, color)), RAMP, atol=1e-5)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_other_chunks_change_nothing(depth):
    """Significant bits, gamma, a profile that isn't one, and text are skipped unread."""
    others = [(b"sBIT", b"\1"), (b"gAMA", bytes(4)), (b"iCCP", b"broken"), (b"zTXt", b"broken"), (b"tIME", b"")]

    data = png(LEVELS * np.uint64(2**depth - 1), depth, GRAY, *others)

    np.testing.assert_array_equal(decode(data), scene_image())
