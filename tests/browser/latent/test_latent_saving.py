"""The tab Latent space: what its map, its pad and the encoder's answer leave as files."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from tests.browser.latent.latent_panel import PANEL, pictures, read_z
from tests.browser.looks import save, wait_for_answers
from tests.support.app import CHECKOUT, post_npy, read_npy

ADDRESS = "latent?digit=0"


def test_map_is_saved(page):
    """The picture has the map at twice its size with words around it; array and CSV file have every digit's place."""
    size = page.evaluate(f"document.querySelector('{PANEL} .map canvas.plane').clientWidth")
    before = page.locator(f"{PANEL} .map canvas.plane").get_attribute("width")

    with Image.open(save(page, "Save the map as PNG")) as picture:
        width, height = picture.size
        colors = picture.convert("RGB").getcolors(1 << 18)
    array = np.load(save(page, "Save the map as npy"))
    names, *rows = csv.reader(save(page, "Save the map as CSV").read_text().splitlines())

    data = CHECKOUT / "app" / "web" / "data"
    latent_map = json.loads((data / "latent_map.json").read_text())
    assert width > 2 * size
    assert height > width
    assert len(colors) > 100
    np.testing.assert_allclose(array, latent_map["frameworks"]["jax"]["points"], rtol=1e-6)
    assert names == ["test digit", "class", "across", "up"]
    assert [int(row[1]) for row in rows] == json.loads((data / "digits.json").read_text())["labels"]
    np.testing.assert_allclose(np.array([row[2:] for row in rows], float), array, rtol=1e-6)
    assert page.locator(f"{PANEL} .map canvas.plane").get_attribute("width") == before


@pytest.mark.parametrize("what", ["the map", "the point in latent space"])
def test_saved_picture_says_whose_it_is(page, what):
    """The words in the picture name the framework whose space it shows, and ask nobody to click on a file."""
    page.evaluate(
        """() => {
            window.written = [];
            const write = CanvasRenderingContext2D.prototype.fillText;
            CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
                window.written.push(String(text));
                write.call(this, text, ...place);
            };
        }"""
    )

    save(page, f"Save {what} as PNG")

    written = " ".join(page.evaluate("window.written"))
    assert "JAX's" in written
    assert "Click" not in written


def test_place_and_encoding_are_saved(page, service):
    """The pad is saved as a picture, the place as the latent that decodes to what is shown, the encoding as encoded."""
    page.click("text=Randomize")
    wait_for_answers(page)

    with Image.open(save(page, "Save the point in latent space as PNG")) as picture:
        assert len(picture.convert("RGB").getcolors(1 << 18)) > 10
    z = np.load(save(page, "Save the point in latent space as npy"))
    encoding = np.load(save(page, "Save mean and log variance by the encoder as npy"))

    probs = read_npy(post_npy(service, "/decode?framework=jax", z, Accept="application/x-npy"))
    assert np.abs(np.round(probs.ravel() * 255) - pictures(page)[0]).max() <= 1
    page.click("text=Back to this digit")
    assert list(read_z(page).values()) == pytest.approx([encoding[0, place] for place in read_z(page)], abs=0.051)
