"""TIFF files of every depth and photometric interpretation show the levels that they declare, or are refused."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from tests.support.images.image_files import encode, scene, scene_image, upside_down_with_exif
from tests.support.images.tiff_files import LEVELS, float_tiff, gray_tiff, pack, tiff
from training.data.image_formats import open_image
from training.data.image_preprocessing import preprocess
from training.errors import DataError

DEPTHS = [*range(1, 17), 32, 64]
BLACK, WHITE = np.zeros((28, 28), np.uint64), np.ones((28, 28), np.uint64)
RAMP = np.linspace(0, 1, 784).reshape(28, 28)


def decode(data, *, invert=False):
    """Return the image in a file."""
    return preprocess(open_image(data).decode(), image_shape=(28, 28), invert=invert)


def ink(gray, alpha, extra, *, bits=8):
    """Return gray with alpha, from 0 and 1."""
    white = np.uint64(2**bits - 1)
    data = pack(np.stack([gray, alpha], axis=-1) * white, bits)
    return tiff(data, bits, samples=2, extra=extra)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("white_is_zero", [False, True])
@pytest.mark.parametrize("bits", DEPTHS)
def test_gray_of_every_depth(bits, white_is_zero, order):
    """The highest level of a depth is white, or black if white is declared to be zero, in both byte orders."""
    data = gray_tiff(bits, white_is_zero=white_is_zero, order=order)

    np.testing.assert_allclose(decode(data), scene_image(), atol=1e-6)


@pytest.mark.parametrize("bits", DEPTHS)
def test_levels_between_black_and_white(bits):
    """A level's brightness is its share of the highest level."""
    levels = np.rint(RAMP[::-1] * 0.9 * (2**bits - 1)).astype(np.uint64)

    image = decode(tiff(pack(levels, bits), bits))

    np.testing.assert_allclose(image, levels / (2**bits - 1), atol=0.51 / 255 if bits < 9 else 1e-6)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [16, 32, 64])
def test_floats(bits, order):
    """Floats of each size are read from 0 to 1, and inverted if white is declared to be zero."""
    atol = 1e-3 if bits == 16 else 1e-6

    np.testing.assert_allclose(decode(float_tiff(RAMP, bits, order=order)), RAMP, atol=atol)
    np.testing.assert_allclose(decode(float_tiff(RAMP, bits, order=order, photometric=0)), 1 - RAMP, atol=atol)


@pytest.mark.parametrize("value", [-1e-6, 1.00001, 255.0, -np.inf, np.nan])
@pytest.mark.parametrize("bits", [32, 64])
def test_floats_outside_0_to_1(bits, value):
    """A float outside [0, 1] is refused as in JSON and npy, not clipped."""
    pixels = RAMP.copy()
    pixels[3, 4] = value

    with pytest.raises(DataError, match=r"pixels that (are outside 0 to 1, such as|aren't finite).*: expected floats"):
        decode(float_tiff(pixels, bits))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("extra", [1, 2])
def test_gray_with_alpha(extra, bits):
    """Associated and unassociated alpha leave white ink on black, and with invert black ink on white."""
    np.testing.assert_allclose(decode(ink(LEVELS, LEVELS, extra, bits=bits)), scene_image(), atol=1e-6)
    np.testing.assert_allclose(decode(ink(BLACK, LEVELS, extra, bits=bits), invert=True), scene_image(), atol=1e-6)


@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_that_is_not_associated_hides_what_is_below(bits):
    """White under transparency isn't visible; an extra sample that isn't alpha hides nothing."""
    np.testing.assert_allclose(decode(ink(WHITE, LEVELS, 2, bits=bits)), scene_image(), atol=1e-6)
    np.testing.assert_allclose(decode(ink(LEVELS, BLACK, 0, bits=bits)), scene_image(), atol=1e-6)


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("is_planar", [False, True])
def test_color(bits, is_planar):
    """RGB becomes luma at each depth, whether the channels are interleaved or one after another."""
    colors = np.stack([RAMP, RAMP.T, RAMP[::-1]])
    levels = np.rint(colors * (2**bits - 1)).astype(np.uint64)
    if is_planar:
        planes = b"".join(pack(plane, bits) for plane in levels)
        size = len(planes) // 3
        tags = [(284, 3, [2])]
        data = tiff(planes, bits, samples=3, photometric=2, tags=tags)
        data = with_strips(data, [8 + size * plane for plane in range(3)], [size] * 3)
    else:
        data = tiff(pack(np.moveaxis(levels, 0, -1), bits), bits, samples=3, photometric=2)

    expected = np.tensordot([0.299, 0.587, 0.114], colors, axes=1)
    np.testing.assert_allclose(decode(data), expected, atol=1.1 / 255 if bits == 8 else 1e-5)


def with_strips(data, offsets, counts):
    """Return a TIFF whose strips are relocated."""
    (start,) = struct.unpack_from("<I", data, 4)
    changed = bytearray(data)
    for index in range(struct.unpack_from("<H", data, start)[0]):
        at = start + 2 + 12 * index
        tag = struct.unpack_from("<H", data, at)[0]
        if tag in {273, 279}:
            struct.pack_into("<HII", changed, at + 2, 4, 3, len(changed))
            changed += struct.pack("<3I", *(offsets if tag == 273 else counts))
    return bytes(changed)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palette(bits):
    """Indices are looked up in the color map."""
    count = 2**bits
    black_and_white = [65535, *[0] * (count - 1)]

    data = tiff(pack(np.uint64(1) - LEVELS, bits), bits, photometric=3, tags=[(320, 3, black_and_white * 3)])

    np.testing.assert_allclose(decode(data), scene_image(), atol=1e-6)


@pytest.mark.parametrize("bits", [8, 16])
def test_cmyk(bits):
    """Ink is dark: no ink is white."""
    inks = np.zeros((28, 28, 4), np.uint64)
    inks[..., 3] = 1 - LEVELS

    data = tiff(pack(inks * np.uint64(2**bits - 1), bits), bits, samples=4, photometric=5)

    np.testing.assert_allclose(decode(data), scene_image(), atol=1e-6)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "zstd", "lzma"])
@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "I;16", "F"])
def test_compressions(compression, mode):
    """Each lossless compression gives the same image as none."""
    dtype, white = {"I;16": ("u2", 65535), "F": ("f4", 1)}.get(mode, ("u1", 255))
    picture = Image.fromarray((RAMP * white).astype(dtype))
    picture = picture if picture.mode == mode else picture.convert(mode)

    data = encode(picture, "TIFF", compression=compression)

    np.testing.assert_array_equal(decode(data), decode(encode(picture, "TIFF")))


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16"])
def test_predictor(mode):
    """Differences between neighbors, as LZW files have them, are summed up."""
    levels = (RAMP * (65535 if mode == "I;16" else 255)).astype("u2" if mode == "I;16" else "u1")
    picture = Image.fromarray(levels).convert(mode)

    data = encode(picture, "TIFF", compression="tiff_lzw", tiffinfo={317: 2})

    assert Image.open(io.BytesIO(data)).tag_v2[317] == 2
    np.testing.assert_array_equal(decode(data), decode(encode(picture, "TIFF")))


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_fax(compression):
    """Compressions of faxes are decoded."""
    data = encode(scene().convert("1"), "TIFF", compression=compression)

    np.testing.assert_array_equal(decode(data), scene_image())


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "YCbCr"])
def test_jpeg_in_tiff(mode):
    """JPEG within TIFF is decoded, in each color space."""
    data = encode(scene().convert("RGB").convert(mode), "TIFF", compression="jpeg", quality=95)

    np.testing.assert_allclose(decode(data), scene_image(), atol=0.12)


def test_orientation_and_first_page():
    """The orientation tag turns the image, and of several pages the first is read."""
    pages = encode(scene(), "TIFF", save_all=True, append_images=[Image.new("L", (9, 9), 255)] * 3)

    np.testing.assert_array_equal(decode(upside_down_with_exif("TIFF")), scene_image())
    np.testing.assert_array_equal(decode(pages), scene_image())


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (tiff(bytes(784), 8, sample_format=2), "signed integers of 8 bits"),
        (tiff(bytes(784 * 4), 32, sample_format=2), "signed integers of 32 bits"),
        (tiff(bytes(784 * 8), 64, sample_format=6), "complex floats of 64 bits"),
        (tiff(bytes(784 * 3), 24), "integers of 24 bits"),
        (tiff(bytes(784 * 3), 24, sample_format=3), "floats of 24 bits"),
        (tiff(bytes(784 * 3), 8, samples=3, photometric=8), r"CIE L\*a\*b\* color"),
        (tiff(bytes(784 * 3), 8, samples=3, photometric=6), "YCbCr with subsampled colors outside JPEG"),
        (tiff(bytes(784 * 2), 16, photometric=3), "palette indices of 16 bits"),
        (tiff(bytes(784), 8, photometric=32803), "raw camera data"),
        (tiff(bytes(784), 8, photometric=99), "photometric interpretation 99"),
        (tiff(bytes(784), 8).replace(b"\x03\x01\x03\0\1\0\0\0\1", b"\x03\x01\x03\0\1\0\0\0\x63"), "compression 99"),
    ],
)
def test_other_pixels_are_named(data, kind):
    """A kind of pixel that isn't supported is refused, with its name and the kinds that are."""
    with pytest.raises(DataError, match=rf"is a TIFF whose pixels are .*{kind}.*: expected gray, RGB, palette"):
        open_image(data)
