"""The map beside the canvas of the tab Reconstruct: the drawing moves on it, pointing decodes, a click keeps."""

import numpy as np

from tests.browser.looks import DRAWING, draw, read_image, wait_for_answers
from tests.support.app import CHECKOUT, make_service, save_checkpoints

ADDRESS = "reconstruct?digit=3&weights=own"

MAP = "#panel-reconstruct .live-map"
PLANE = f"{MAP} canvas.plane"


def read_colors(page):
    """Return the map's pixels, one row each."""
    return np.reshape(
        page.eval_on_selector(
            PLANE,
            "canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)",
        ),
        (-1, 4),
    )


def wait_for_places(page):
    """Wait until every framework has placed the drawing."""
    page.wait_for_selector(f"{MAP}[data-placed='3']")
    wait_for_answers(page)


def test_drawing_moves_on_the_map(page):
    """A stroke moves the markers, one in the color of each framework."""
    wait_for_places(page)
    before = read_colors(page)

    draw(page, (0.2, 0.9), (0.8, 0.9))
    wait_for_answers(page)
    after = read_colors(page)

    assert (before != after).any()
    for color in page.evaluate(
        "['jax', 'tensorflow', 'pytorch'].map(name => getComputedStyle(document.body).getPropertyValue(`--${name}`))"
    ):
        rgb = [int(color.strip()[at : at + 2], 16) for at in (1, 3, 5)]
        assert (np.abs(after[:, :3] - rgb).max(axis=1) < 30).sum() > 5, color


def test_pointing_decodes_and_a_click_keeps(page):
    """A picture is shown at the pointer; leaving hides it, a click makes it the drawing."""
    wait_for_places(page)
    box = page.locator(PLANE).bounding_box()
    preview = f"{MAP} .hovered"

    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_selector(preview)
    page.mouse.move(5, 5)
    page.wait_for_selector(preview, state="hidden")
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_selector(preview)
    hovered = np.array(read_image(page, f"{preview} canvas"))
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function("() => location.hash.includes('pixels=')")
    drawing = np.array(read_image(page, DRAWING))

    assert np.abs(hovered - drawing).max() <= 9  # the drawing has 16 levels


def test_map_is_used_with_the_keyboard(page):
    """Arrow keys move over the map, and Enter keeps what is decoded there."""
    wait_for_places(page)
    before = read_image(page, DRAWING)

    page.focus(PLANE)
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.wait_for_selector(f"{MAP} .hovered")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.hash.includes('pixels=')")

    assert read_image(page, DRAWING) != before


def test_other_checkpoints_have_no_map(visit, serve, tmp_path):
    """If no map was computed for the served checkpoints, a sentence says so."""
    save_checkpoints(tmp_path)
    page = visit("reconstruct", base_url=serve(make_service(tmp_path)).base_url)
    wait_for_answers(page)
    page.wait_for_selector(f"{MAP} >> text=There is no map")

    assert page.is_hidden(PLANE)


def test_one_framework_alone_has_its_map(visit, serve):
    """A single framework's own map is shown."""
    client = serve(make_service(CHECKOUT / "checkpoints", frameworks="tensorflow"))
    page = visit(ADDRESS, base_url=client.base_url)
    page.wait_for_selector(f"{MAP}[data-placed='1']")

    assert page.is_visible(PLANE)
    assert "TensorFlow's latent space" in page.inner_text(MAP)
