"""Drawings and photos are cropped and centered as MNIST's digits were. The page's result is in tests/browser."""

import io

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from tests.support.app import CHECKOUT
from training.data.centering import NoInkError, center
from training.data.image_formats import open_image
from training.data.image_formats.gray_image import GrayImage

SHAPE = (28, 28)


def photo():
    """Return the README's photo of a 3, upright and gray."""
    data = (CHECKOUT / "docs" / "images" / "photo.jpg").read_bytes()
    return open_image(data).decode().flatten(on_white=False)


def drawing(*, paper=0, ink=255, size=(300, 200), at=(200, 40)):
    """Return a picture with an upright L of 60 x 100 pixels, its upper left corner `at` a place."""
    picture = Image.new("L", size, paper)
    x, y = at
    pen = ImageDraw.Draw(picture)
    pen.rectangle((x, y, x + 15, y + 99), fill=ink)
    pen.rectangle((x, y + 84, x + 59, y + 99), fill=ink)
    return picture


def centered(picture, *, invert=None, shape=SHAPE):
    """Return a gray picture, centered."""
    return center(GrayImage(pixels=picture), image_shape=shape, invert=invert)


def assert_is_like_mnist(image):
    """Check that a digit is white on black, 20 pixels long, and that the center of its mass is in the middle."""
    rows, columns = np.nonzero(image > 60 / 255)
    assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21
    weights = image / image.sum()
    assert abs(weights.sum(axis=1) @ np.arange(28) - 13.5) < 1
    assert abs(weights.sum(axis=0) @ np.arange(28) - 13.5) < 1


@pytest.mark.parametrize("angle", [0, 10, 35, -20])
@pytest.mark.parametrize("noise", [0, 20])
def test_photo_is_cropped_and_centered(angle, noise):
    """Dark ink on unevenly lit paper becomes a digit as MNIST's are, rotated or noisy too."""
    rotated = np.asarray(photo().rotate(angle, fillcolor=240), float)
    noisy = rotated + np.random.default_rng(1).normal(0, noise, rotated.shape)

    image = centered(Image.fromarray(noisy.clip(0, 255).astype(np.uint8)))

    assert image.dtype == np.float32
    assert_is_like_mnist(image)


def test_ink_is_found_dark_on_light_and_light_on_dark():
    """The edges decide what is paper, unless `invert` does; both ways the result is light on dark."""
    dark_on_light, light_on_dark = drawing(paper=230, ink=20), drawing(paper=25, ink=235)

    detected = [centered(dark_on_light), centered(light_on_dark)]
    chosen = [centered(dark_on_light, invert=True), centered(light_on_dark, invert=False)]

    np.testing.assert_array_equal(detected, chosen)
    np.testing.assert_allclose(detected[0], detected[1], atol=1e-6)
    assert_is_like_mnist(detected[0])


def test_invert_overrides_the_edges():
    """A light frame is paper by the edges, around too wide a patch for ink, and it is ink if `invert` is false."""
    frame = ImageOps.expand(Image.new("L", (80, 80), 0), border=10, fill=255)

    image = centered(frame, invert=False)

    with pytest.raises(NoInkError):
        centered(frame)
    assert_is_like_mnist(image)


@pytest.mark.parametrize("at", [(0, 0), (100, 30), (240, 100)])
def test_place_in_the_picture_does_not_matter(at):
    """A drawing is the same image wherever it is on its paper, at the edge too."""
    expected = centered(drawing(at=(120, 60)))

    image = centered(drawing(at=at))

    np.testing.assert_allclose(image, expected, atol=0.5)
    assert abs(image - expected).mean() < 0.02


@pytest.mark.parametrize("shape", [(28, 28), (16, 24), (40, 20)])
def test_ink_fills_its_share_of_any_shape(shape):
    """The longer side of the ink is 20/28 of the image's shorter side."""
    image = centered(drawing(), shape=shape)

    rows, columns = np.nonzero(image > 0.5)
    assert image.shape == shape
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(min(shape) * 20 / 28, abs=1.01)


@pytest.mark.parametrize("ink", [(10, 10, 60), (250, 240, 255)])
def test_transparent_drawing_is_put_on_paper_that_shows_it(ink):
    """Dark ink on nothing is put on white and light ink on black."""
    picture = Image.merge("RGBA", [*(Image.new("L", (300, 200), level) for level in ink), drawing()])

    image = center(GrayImage.from_pillow(picture), image_shape=SHAPE, invert=None)

    np.testing.assert_allclose(image, centered(drawing()), atol=0.2)


def test_photo_of_16_bits_is_centered_like_one_of_8():
    """Levels in floats are read as levels in bytes are."""
    expected = centered(photo())

    image = centered(Image.fromarray(np.asarray(photo(), np.float32) / 255))

    np.testing.assert_allclose(image, expected, atol=0.02)


def test_specks_and_shadow_are_left_out():
    """A speck far from the ink and a shadow across the paper change nothing but a few levels."""
    clean = drawing(paper=240, ink=10)
    shadow = Image.linear_gradient("L").resize(clean.size).point(lambda level: level // 3)
    dirty = ImageChops.subtract(clean, shadow)
    dirty.putpixel((5, 190), 0)

    image = centered(dirty.filter(ImageFilter.GaussianBlur(0.5)))

    np.testing.assert_allclose(image, centered(clean.filter(ImageFilter.GaussianBlur(0.5))), atol=0.25)


@pytest.mark.parametrize("level", [0, 120, 255])
@pytest.mark.parametrize("size", [(1, 1), (28, 28), (900, 3)])
def test_nothing_to_center_is_an_error(level, size):
    """A picture of one level is an error that names the expected drawing."""
    with pytest.raises(NoInkError, match="shows no ink to center: expected a drawing that stands out"):
        centered(Image.new("L", size, level))


def test_invisible_picture_is_an_error():
    """A picture that is transparent everywhere shows no ink."""
    file = io.BytesIO()
    Image.new("RGBA", (40, 40), (255, 255, 255, 0)).save(file, "PNG")

    with pytest.raises(NoInkError):
        center(open_image(file.getvalue()).decode(), image_shape=SHAPE, invert=None)
