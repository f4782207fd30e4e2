"""The visitor's picture files in the tab Reconstruct: uploaded, dropped, pasted, centered like MNIST, or rejected."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.looks import DRAWING, read_image, wait_for_answers
from tests.support.app import CHECKOUT
from training.data.centering import center
from training.data.image_formats import open_image

ADDRESS = "reconstruct"


def photo():
    """Return the README's photo of a 3 that was drawn with a dark pen on light paper."""
    return (CHECKOUT / "docs" / "images" / "photo.jpg").read_bytes()


def assert_is_like_mnist(image):
    """Check that a digit is white on black, within 20 x 20 pixels, and that its mass is in the middle."""
    image = np.array(image, float).reshape(28, 28)
    rows, columns = np.nonzero(image > 60)
    assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21
    assert 0.05 < (image > 127).mean() < 0.3
    weights = image / image.sum()
    assert abs((weights.sum(axis=1) * np.arange(28)).sum() - 13.5) < 1
    assert abs((weights.sum(axis=0) * np.arange(28)).sum() - 13.5) < 1


def hand_over(page, event, content, kind="image/jpeg"):
    """Paste or drop a file."""
    page.evaluate(
        """async ([event, content, kind]) => {
            const bytes = Uint8Array.from(atob(content), character => character.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "picture", { type: kind }));
            const target = document.querySelector("#panel-reconstruct .input-card");
            const options = { bubbles: true, cancelable: true };
            target.dispatchEvent(event === "paste"
                ? new ClipboardEvent("paste", { ...options, clipboardData: data })
                : new DragEvent("drop", { ...options, dataTransfer: data }));
        }""",
        [event, base64.b64encode(content).decode(), kind],
    )


@pytest.mark.parametrize("way", ["choose", "drop", "paste"])
def test_photo_becomes_an_image_as_mnist_was(page, way):
    """A photo of handwriting is turned upright, inverted, cropped and centered, however it is given."""
    if way == "choose":
        page.set_input_files("#picture", CHECKOUT / "docs" / "images" / "photo.jpg")
    else:
        hand_over(page, way, photo())
    page.wait_for_selector("text=Read as dark ink")
    wait_for_answers(page)

    assert_is_like_mnist(read_image(page, DRAWING))


def test_picture_is_squeezed_where_that_is_asked_for(page):
    """Without cropping the whole picture becomes the image; the choice works on a picture that is there already."""
    picture = Image.new("L", (280, 280), 0)
    picture.paste(255, (20, 20, 60, 60))
    file = io.BytesIO()
    picture.save(file, "PNG")

    hand_over(page, "drop", file.getvalue(), "image/png")
    page.wait_for_selector("text=Read as light ink")
    page.uncheck("#centered")
    page.wait_for_function(
        f"() => document.querySelector('{DRAWING}').getContext('2d').getImageData(3, 3, 1, 1).data[0] === 255"
    )

    image = np.array(read_image(page, DRAWING)).reshape(28, 28)
    assert image[2:6, 2:6].min() > 200
    assert image.sum() == pytest.approx(16 * 255, rel=0.1)


def test_picture_is_shown_in_its_own_shape(page):
    """The whole picture takes the model's shape, as in training; beside it the file is seen as it is."""
    file = io.BytesIO()
    picture = Image.new("RGB", (300, 100), "black")
    picture.paste((200, 0, 0), (20, 20, 60, 60))
    picture.save(file, "PNG")

    page.uncheck("#centered")
    hand_over(page, "drop", file.getvalue(), "image/png")
    page.wait_for_selector("text=/Resized to the model's 28 . 28 pixels, so its shape changes/")
    box = page.locator(".original canvas").bounding_box()
    red, green, _ = page.eval_on_selector(
        ".original canvas", "canvas => [...canvas.getContext('2d').getImageData(25, 25, 1, 1).data]"
    )[:3]
    page.click("text=Clear")

    assert box["width"] / box["height"] == pytest.approx(3, rel=0.05)
    assert (red, green) == (200, 0)
    assert page.is_hidden(".original")


@pytest.mark.parametrize("content", [b"no picture", b"\x89PNG\r\n\x1a\nbroken"])
def test_what_is_no_picture_is_refused_in_a_sentence(page, content):
    """The sentence stands in the card, and the image stays."""
    before = read_image(page, DRAWING)

    hand_over(page, "drop", content)

    assert "isn't an image" in page.wait_for_selector(".input-card .notice:not([hidden])").inner_text()
    assert read_image(page, DRAWING) == before


@pytest.mark.parametrize("count", [1, 2])
def test_several_digits_in_a_picture_are_noticed(page, count):
    """For a picture with two digits side by side the page says so; for one it doesn't."""
    with Image.open(io.BytesIO(photo())) as digit:
        picture = Image.new("RGB", (digit.width * count, digit.height), "white")
        for place in range(count):
            picture.paste(digit, (place * digit.width, 0))
    file = io.BytesIO()
    picture.save(file, "PNG")

    hand_over(page, "drop", file.getvalue(), "image/png")
    page.wait_for_selector("text=Read as dark ink on light paper.")

    assert page.locator("text=More than one digit?").count() == count - 1


def test_picture_that_is_read_too_late_is_left_aside(page):
    """A digit that is picked while a large picture is still being read is kept."""
    page.evaluate(
        """() => {
            const decode = createImageBitmap;
            window.createImageBitmap = async (blob) => {
                await new Promise(resolve => { window.finish = resolve; });
                const bitmap = await decode(blob);
                setTimeout(() => { window.isDecoded = true; });
                return bitmap;
            };
        }"""
    )

    hand_over(page, "drop", photo())
    page.click("[aria-label='Test digit 2, a 1']")
    before = read_image(page, DRAWING)
    page.evaluate("window.finish()")
    page.wait_for_function("() => window.isDecoded")

    assert read_image(page, DRAWING) == before
    assert not page.is_visible("text=Read as")


@pytest.mark.parametrize("angle", [0, 35])
@pytest.mark.parametrize("noise", [0, 20])
def test_service_centers_a_photo_as_the_page_does(page, angle, noise):
    """The crops agree to a fraction of a pixel, and the levels but for the sixteen to which the page rounds."""
    upright = open_image(photo()).decode().flatten(on_white=False).rotate(angle, fillcolor=240)
    grain = np.random.default_rng(1).normal(0, noise, upright.size[::-1])
    picture = Image.fromarray((np.asarray(upright) + grain).clip(0, 255).astype(np.uint8))
    file = io.BytesIO()
    picture.save(file, "PNG")

    pixels = page.evaluate(
        """async content => {
            const { readPicture } = await import("/web/drawing/image_file.js");
            const bytes = Uint8Array.from(atob(content), character => character.charCodeAt(0));
            const { image } = await readPicture(new Blob([bytes]), { ink: "auto", centered: true });
            return Array.from(image);
        }""",
        base64.b64encode(file.getvalue()).decode(),
    )
    image = center(open_image(file.getvalue()).decode(), image_shape=(28, 28), invert=None)

    levels = np.array(pixels).reshape(28, 28) / 255
    assert abs(image - levels).mean() < 0.01
    for axis in (0, 1):
        service_sums, page_sums = image.sum(axis=axis), levels.sum(axis=axis)
        assert (
            abs(service_sums @ np.arange(28) / service_sums.sum() - page_sums @ np.arange(28) / page_sums.sum()) < 0.2
        )
