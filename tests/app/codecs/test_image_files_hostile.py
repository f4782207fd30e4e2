"""`app.codecs.image_files` with broken, too large and hostile files."""

import binascii
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.codecs.image_files import ImageFile, decode_base64, decode_image, decode_images
from app.errors import InvalidValueError, MalformedBodyError, RequestError, TooLargeError
from tests.support.images.damaged_images import jpeg_with_scans, png_bomb
from tests.support.images.image_files import encode, scene, scenes
from tests.support.limits import make_limits
from training.config import ModelConfig
from training.data.image_formats.jpeg import count_scans

MODEL = ModelConfig()


def parse(data, *, limits=None):
    """Parse one file with the defaults that these tests share."""
    return decode_image(data, model=MODEL, limits=limits or make_limits(), invert=False, where="body.files[2]")


OTHER_KINDS = [
    (b"\x00" * 100, None),
    (b"not a picture", None),
    (b"P5 2 2 255 \x00\x00\x00\x00", None),
    (encode(scene(), "PPM"), None),
    (b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>', "an SVG drawing"),
    (b'\xef\xbb\xbf\n<?xml version="1.0"?><svg/>', "an XML file, such as an SVG drawing"),
    (b"<!DOCTYPE html><html></html>", "an HTML page"),
    (b"%PDF-1.7\n", "a PDF document"),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a PostScript file"),
    (encode(scene(), "ICO"), "an icon"),
    (encode(scene(), "JPEG2000"), "a JPEG 2000 image"),
    (b"8BPS\0\1", "a Photoshop file"),
    (b"PK\x03\x04", "a zip archive"),
]


@pytest.mark.parametrize(("data", "kind"), OTHER_KINDS, ids=[str(number) for number in range(len(OTHER_KINDS))])
def test_parse_of_other_kinds_of_file(data, kind):
    """A file of none of the eight formats is refused; the error names its path, its kind if known, and the formats."""
    with pytest.raises(MalformedBodyError) as caught:
        parse(data)

    problem = f"is {kind}: send an image" if kind else "can't be read as an image file: send a whole"
    assert str(caught.value) == f"body.files[2] {problem} file, of PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF and HEIC"


def test_parse_of_empty_file():
    """An empty file, such as a form in which nothing was chosen, is called empty."""
    with pytest.raises(MalformedBodyError, match=r"body\.files\[2\] is empty"):
        parse(b"")


@pytest.mark.parametrize("name", [name for name in scenes() if "GIF" not in name])
def test_parse_of_truncated_file(name):
    """A file of which the second half is missing is refused."""
    data = scenes()[name]

    with pytest.raises(MalformedBodyError, match="send a whole file"):
        parse(data[: len(data) // 2])


def test_parse_of_truncated_gif():
    """A GIF cut short in its color table or its first frame is refused."""
    data = scenes()["GIF"]

    for length in (20, data.index(b",\0\0\0\0") + 14):
        with pytest.raises(MalformedBodyError, match="send a whole file"):
            parse(data[:length])


@pytest.mark.parametrize(("width", "height"), [(5001, 5000), (15_000, 15_000), (2**31 - 1, 2**31 - 1), (2**31 - 1, 1)])
def test_parse_of_bomb(width, height):
    """A header that announces too many pixels is refused before a pixel is decoded."""
    with pytest.raises(TooLargeError, match="25000000 pixels"):
        parse(png_bomb(width, height))


@pytest.mark.parametrize("escape", ["%41", "%", "%2", "%%2B", "%2%0AB", "%zz", "%00"])
@pytest.mark.parametrize("position", [0, 8])
def test_decode_base64_of_other_escapes(escape, position):
    """Escapes that base64 doesn't need are refused, also one that would only form once another is removed."""
    with pytest.raises(MalformedBodyError, match="expected an image file in base64"):
        decode_base64(f"data:image/png;base64,{'QUJD' * position}%2B{escape}QUJD", where="body")


@pytest.mark.parametrize(("unit", "plain"), [("%2B", "+"), ("%2b%2F", "+/"), ("AA%0A%0d", "AA"), ("AA ", "AA")])
def test_decode_base64_of_many_escapes(unit, plain):
    """A long text of escapes and white space gives the bytes of the text without them."""
    count = 400_000

    decoded = decode_base64(f"data:image/png;base64,{unit * count}", where="body")

    assert decoded == binascii.a2b_base64(plain * count)


def test_parse_of_bomb_within_the_limit():
    """The same file with a size within the limit is decoded, and found to be cut short."""
    with pytest.raises(MalformedBodyError):
        parse(png_bomb(5000, 5000))


def test_parse_counts_pixels_of_all_files_together():
    """Pictures that fit one by one are refused if they don't fit together, and the error names which."""
    files = [ImageFile(f"body.files[{index}]", encode(scene(), "PNG")) for index in range(3)]

    images = decode_images(files, model=MODEL, limits=make_limits(max_pixels=3 * 784), invert=False)
    with pytest.raises(TooLargeError, match=r"body\.files\[2\] brings"):
        decode_images(files, model=MODEL, limits=make_limits(max_pixels=3 * 784 - 1), invert=False)

    assert len(images) == 3


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_parse_of_pixels_that_are_not_finite(value):
    """A TIFF of floats with NaN or infinity in it is a wrong value, not a picture of black."""
    pixels = np.zeros((28, 28), np.float32)
    pixels[3, 4] = value

    with pytest.raises(InvalidValueError, match="finite") as caught:
        parse(encode(Image.fromarray(pixels), "TIFF"))

    assert caught.value.errors[0].where == "body.files[2]"


def test_parse_of_jpeg_with_many_scans():
    """A JPEG of thousands of scans is refused; one with a few more than usual isn't."""
    harmless, hostile = jpeg_with_scans(100), jpeg_with_scans(101)

    image = parse(harmless)
    with pytest.raises(TooLargeError, match="over 100 scans"):
        parse(hostile)

    assert image.shape == (28, 28)


@pytest.mark.parametrize(
    "error",
    [
        AssertionError,
        AttributeError,
        EOFError,
        IndexError,
        KeyError,
        MemoryError,
        NotImplementedError,
        OSError,
        OverflowError,
        RecursionError,
        SyntaxError,
        TypeError,
        UnicodeDecodeError("utf-8", b"", 0, 1, ""),
        ZeroDivisionError,
        struct.error,
        zlib.error,
    ],
)
def test_parse_when_pillow_raises(error, monkeypatch):
    """Any exception of an image plugin is an error of the file."""

    def fail(*_):
        raise error

    monkeypatch.setattr(Image.Image, "convert", fail)

    with pytest.raises(MalformedBodyError, match="can't be read as an image file"):
        parse(scenes()["PNG color"])


@pytest.mark.parametrize(("options", "scans"), [({}, 1), ({"progressive": True}, 10)])
def test_count_scans_of_real_files(options, scans):
    """A baseline JPEG has one scan, a progressive one of colors ten, also with a thumbnail and data behind it."""
    exif = Image.Exif()
    exif[0x9286] = encode(scene(), "JPEG", progressive=True)
    data = encode(scene(64).convert("RGB"), "JPEG", exif=exif, **options)

    assert count_scans(data + bytes(2) + b"\xff\xda\0\2" * 500, at_most=1000) == scans


def test_count_scans_stops_early():
    """Counting goes no further than one beyond the bound."""
    assert count_scans(jpeg_with_scans(500), at_most=20) == 21


@settings(max_examples=400, deadline=None)
@given(name=st.sampled_from(sorted(scenes())), data=st.data())
def test_parse_of_damaged_file_raises_only_request_errors(name, data):
    """Whatever happens to a real file's bytes, the outcome is an image in [0, 1] or a `RequestError`."""
    damaged = bytearray(scenes()[name])
    for _ in range(data.draw(st.integers(1, 6))):
        # Headers are at the front, and break in more ways than pixels do.
        position = data.draw(st.integers(0, min(len(damaged), 200) - 1) | st.integers(0, len(damaged) - 1))
        damaged[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(0, len(damaged)))

    with suppress(RequestError):
        image = parse(bytes(damaged[:cut]), limits=make_limits(max_pixels=100_000))
        assert image.shape == (28, 28)
        assert 0 <= image.min() <= image.max() <= 1


@settings(max_examples=100, deadline=None)
@given(
    prefix=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0", b"MM\0*", b"RIFF"]),
    rest=st.binary(max_size=200),
)
def test_parse_of_noise_raises_only_request_errors(prefix, rest):
    """Noise behind the first bytes of a real format is refused, never an error of another kind."""
    with pytest.raises(RequestError):
        parse(prefix + rest)
