"""`app.codecs.image_files`: real files of every kind become the same image, and images become PNG files."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from app.codecs.image_files import ImageFile, decode_image, decode_images, dump_png
from app.errors import InvalidValueError
from tests.support.images.image_files import (
    encode,
    palette_with_transparency,
    scene,
    scene_image,
    scenes,
    sideways_with_exif,
    transparent,
)
from tests.support.limits import make_limits
from training.config import ModelConfig

MODEL = ModelConfig()
WIDE = ModelConfig(image_shape=(10, 20))


def parse(data, *, model=MODEL, limits=None, invert=False):
    """Parse one file with the defaults that these tests share."""
    return decode_image(data, model=model, limits=limits or make_limits(), invert=invert, where="body")


@pytest.mark.parametrize("name", scenes())
def test_parse_shows_the_same_scene(name):
    """A file of any format and mode gives the scene it was made from: upright, first frame, flattened."""
    data = scenes()[name]

    image = parse(data)

    tolerance = 0.12 if any(word in name for word in ("JPEG", "lossy", "WebP animated", "AVIF", "HEIC")) else 1e-6
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, scene_image(), atol=tolerance)


def test_parse_of_gray_png_of_the_same_size_is_exact():
    """An MNIST digit saved as PNG is decoded as its pixels divided by 255, bit for bit."""
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)

    image = parse(encode(Image.fromarray(pixels), "PNG"))

    np.testing.assert_array_equal(image, pixels / np.float32(255))


def test_parse_keeps_height_and_width_apart():
    """A picture is resized to the model's height and width, in that order."""
    image = parse(encode(scene(200), "PNG"), model=WIDE)

    assert image.shape == (10, 20)
    np.testing.assert_allclose(image[:4, :8], 1, atol=0.05)
    np.testing.assert_allclose(image[6:], 0, atol=0.05)


def test_parse_of_sideways_jpeg_is_upright():
    """A phone's photo stored on its side is rotated before it is resized."""
    data, upright = sideways_with_exif()

    image = parse(data, model=WIDE)

    assert Image.open(io.BytesIO(data)).size == (56, 84)
    np.testing.assert_allclose(image, parse(encode(upright, "PNG"), model=WIDE), atol=0.05)


def test_parse_resizes_without_aliasing():
    """Lines finer than a pixel become an even gray, not a pattern."""
    stripes = np.zeros((280, 280), np.uint8)
    stripes[:, ::2] = 255

    image = parse(encode(Image.fromarray(stripes), "PNG"))

    np.testing.assert_allclose(image, 0.5, atol=0.1)


@pytest.mark.parametrize("mode", ["L", "F"])
def test_parse_when_resizing_overshoots(mode):
    """The ringing of the resizing filter at an edge stays within [0, 1]."""
    pixels = np.zeros((90, 90), np.float32)
    pixels[30:60, 30:60] = 1
    picture = Image.fromarray(pixels) if mode == "F" else Image.fromarray((pixels * 255).astype(np.uint8))

    image = parse(encode(picture, "TIFF"))

    assert image.min() == 0
    assert image.max() == 1


def test_parse_inverted_is_one_minus_the_picture():
    """With invert a dark drawing on white paper becomes a light one on black."""
    drawing = Image.fromarray(255 - np.asarray(scene()))

    image = parse(encode(drawing, "PNG"), invert=True)

    np.testing.assert_array_equal(image, scene_image())


@pytest.mark.parametrize(
    "data",
    [
        encode(Image.merge("LA", [Image.new("L", (28, 28), 0), scene()]), "PNG"),
        encode(Image.merge("RGBA", [*[Image.new("L", (28, 28), 0)] * 3, scene()]), "PNG"),
        encode(Image.fromarray((np.asarray(scene(), np.uint16) // 255 ^ 1) * 9), "PNG", transparency=9),
    ],
    ids=["LA", "RGBA", "16-bit"],
)
def test_parse_inverted_lays_transparent_on_white(data):
    """Black ink on nothing is, with invert, ink on white paper: transparency becomes black, ink white."""
    image = parse(data, invert=True)

    np.testing.assert_allclose(image, scene_image(), atol=0.001)


def test_parse_blends_half_transparent():
    """Half-transparent white over black is a half gray."""
    data = encode(Image.new("LA", (28, 28), (255, 128)), "PNG")

    image = parse(data)

    np.testing.assert_allclose(image, 128 / 255, atol=1 / 255)


def test_transparent_fixtures_are_transparent():
    """The files that test transparency really have it."""
    pictures = [Image.open(io.BytesIO(scenes()[name])) for name in ("PNG LA", "PNG RGBA", "GIF with transparency")]
    pictures += [Image.open(io.BytesIO(scenes()[name])) for name in scenes() if "PNG palette with" in name]

    assert len(pictures) == 5
    assert all(picture.has_transparency_data for picture in pictures)
    assert not palette_with_transparency().has_transparency_data
    assert transparent("PA").mode == "PA"


def test_parse_of_signed_levels():
    """A TIFF of signed integers declares no white: it is refused with its kind, not read as some other kind."""
    with pytest.raises(InvalidValueError, match="body is a TIFF whose pixels are signed integers of 32 bits: expected"):
        parse(encode(Image.fromarray(np.zeros((56, 56), np.int32)), "TIFF"))


def test_decode_images_in_order():
    """Several files give as many images, in their order."""
    files = [ImageFile(f"body.files[{i}]", encode(Image.new("L", (9, 9), i * 51), "PNG")) for i in range(6)]

    images = decode_images(files, model=MODEL, limits=make_limits(), invert=False)

    assert images.shape == (6, 28, 28)
    np.testing.assert_allclose(images[:, 0, 0], np.arange(6) / 5, atol=1e-6)


def test_parse_of_large_picture_gives_no_warning():
    """Pillow's own warnings, here of a decompression bomb, reach neither the log nor the client."""
    side = 9500
    data = encode(Image.new("1", (side, side)), "PNG")
    assert side * side > Image.MAX_IMAGE_PIXELS

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        image = parse(data, limits=make_limits(max_pixels=side * side))

    assert not image.any()
    assert caught == []


def test_dump_png_of_one_picture():
    """One picture is a PNG of exactly its height and width, with values rounded to 8 bits."""
    probs = np.random.default_rng(0).random((1, 10, 20), dtype=np.float32)

    picture = Image.open(io.BytesIO(dump_png(probs)))

    assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (20, 10))
    np.testing.assert_array_equal(np.asarray(picture), np.rint(probs[0] * 255))


@pytest.mark.parametrize(("count", "rows", "columns"), [(2, 1, 2), (3, 2, 2), (4, 2, 2), (5, 2, 3), (16, 4, 4)])
def test_dump_png_of_several_is_a_grid(count, rows, columns):
    """Several pictures form a near-square grid, row by row, two gray pixels apart."""
    probs = np.stack([np.full((10, 20), (i + 1) / 20, np.float32) for i in range(count)])

    grid = np.asarray(Image.open(io.BytesIO(dump_png(probs))))

    assert grid.shape == (rows * 12 - 2, columns * 22 - 2)
    for index in range(count):
        top, left = index // columns * 12, index % columns * 22
        assert (grid[top : top + 10, left : left + 20] == round((index + 1) / 20 * 255)).all()
    assert (grid[:, 20:22] == 64).all()


def test_dump_png_clips():
    """Values outside [0, 1] are clipped, not wrapped round."""
    probs = np.array([[[-0.5, 1.5]]], np.float32)

    picture = Image.open(io.BytesIO(dump_png(probs)))

    assert np.asarray(picture).tolist() == [[0, 255]]


def test_dump_png_then_decode_image():
    """A picture that was written can be read back, within half a level."""
    probs = np.random.default_rng(0).random((1, 28, 28), dtype=np.float32)

    image = parse(dump_png(probs))

    np.testing.assert_allclose(image, probs[0], atol=0.5 / 255 + 1e-6)
