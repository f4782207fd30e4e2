"""EXIF alone decides which side of an image file is up, and no other metadata is parsed."""

import struct

import numpy as np
import pytest
from PIL import Image

from tests.support.images.image_files import encode, heic
from training.data.image_formats import open_image
from training.data.image_formats.tags import read_orientation
from training.data.image_preprocessing import preprocess

FORMATS = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"]
UPRIGHT = np.zeros((48, 64), np.uint8)
UPRIGHT[:24, :32] = 255
UPRIGHT[24:, 32:] = 96

# The transposition that undoes each orientation.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}

# Tag, type, count and value of fields as cameras and editors get them wrong.
ODD_FIELDS = {
    "a negative resolution": (0x11A, 10, 1, struct.pack("<ii", -1, 1)),
    "a resolution that is no number": (0x11A, 12, 1, struct.pack("<d", float("nan"))),
    "a resolution over zero": (0x11A, 5, 1, bytes(8)),
    "an unknown type": (0x10F, 99, 1, bytes(4)),
    "text that isn't UTF-8": (0x10F, 2, 4, b"\xff\xfe\xfd\0"),
    "a value beyond the end": (0x8769, 4, 1, struct.pack("<I", 2**31)),
    "a count beyond the end": (0x927C, 7, 2**31, bytes(4)),
}


def exif_of(orientation, field=None):
    """Return EXIF of an orientation and one other field."""
    entries = [(0x112, 3, 1, struct.pack("<HH", orientation, 0)), *([field] if field else [])]
    directory, values = struct.pack("<H", len(entries)), b""
    for tag, kind, count, value in sorted(entries):
        position = 8 + 2 + 12 * len(entries) + 4 + len(values)
        directory += struct.pack("<HHI", tag, kind, count) + (value if len(value) == 4 else struct.pack("<I", position))
        values += value if len(value) > 4 else b""
    return b"Exif\0\0II*\0\x08\0\0\0" + directory + bytes(4) + values


def write(picture, file_format, **options):
    """Return the picture as a file, in colors."""
    picture = picture.convert("RGB")
    if file_format == "HEIF":
        return heic(picture, **options)
    return encode(picture, file_format, **({} if file_format in {"PNG", "TIFF"} else {"quality": 95}), **options)


def decode(data):
    """Return the image in a file, at its own size."""
    return preprocess(open_image(data).decode(), image_shape=UPRIGHT.shape, invert=False)


def assert_is_upright(image):
    """Assert that an image shows the scene as it was made."""
    np.testing.assert_allclose(image[2:22, 2:30], 1, atol=0.06)
    np.testing.assert_allclose(image[2:22, 34:62], 0, atol=0.06)
    np.testing.assert_allclose(image[26:46, 34:62], 96 / 255, atol=0.06)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("file_format", FORMATS)
def test_each_orientation_in_each_format(file_format, orientation):
    """A picture stored turned or mirrored, with that orientation, is upright."""
    stored = Image.fromarray(UPRIGHT).transpose(STORED[orientation])
    exif = Image.Exif()
    exif[0x112] = orientation

    # As bytes: pillow-heif writes no rotation for an object.
    assert_is_upright(decode(write(stored, file_format, exif=exif.tobytes())))


@pytest.mark.parametrize("name", ODD_FIELDS)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_odd_fields_beside_the_orientation(file_format, name):
    """A field of an unusual type or value neither refuses the file nor hides the orientation."""
    stored = Image.fromarray(UPRIGHT).transpose(STORED[6])

    assert_is_upright(decode(write(stored, file_format, exif=exif_of(6, ODD_FIELDS[name]))))


@pytest.mark.parametrize("file_format", ["AVIF", "HEIF"])
@pytest.mark.parametrize("name", ODD_FIELDS)
def test_exif_of_avif_and_heic_is_never_parsed(file_format, name):
    """These formats rotate by properties of the container: EXIF changes nothing."""
    odd = exif_of(6, ODD_FIELDS[name]).removeprefix(b"Exif\0\0")
    # Written with a long comment, which leaves space for the odd block.
    data = write(Image.fromarray(UPRIGHT), file_format, exif=exif_of(1, (0x9286, 7, 200, b"m" * 200)))
    at = data.index(b"II*\0" if b"II*\0" in data else b"MM\0*")

    assert_is_upright(decode(data[:at] + odd + data[at + len(odd) :]))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_orientation_in_xmp_is_ignored(file_format):
    """An orientation that only XMP holds, as editors leave it behind, rotates nothing, as in browsers."""
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    options = {"tiffinfo": {700: packet}} if file_format == "TIFF" else {"xmp": packet}
    if file_format == "PNG":
        options = {}

    assert_is_upright(decode(write(Image.fromarray(UPRIGHT), file_format, **options)))


@pytest.mark.parametrize(
    "exif", [None, b"", b"Exif\0\0", b"II*\0", b"junk" * 9, exif_of(0), exif_of(9), exif_of(6)[:20], exif_of(6)[:14]]
)
def test_exif_without_an_orientation(exif):
    """Absent, broken and impossible orientations count as upright."""
    assert read_orientation(exif) == 1
