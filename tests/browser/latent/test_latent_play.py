"""Playing in the tab Latent space: hover over the map, faces at the sliders' ends, the wiggle button."""

import numpy as np

from tests.browser.looks import read_image, wait_for_answers
from tests.support.app import post_npy, read_npy

ADDRESS = "latent?digit=0"

PANEL = "#panel-latent"
PICTURE = f"{PANEL} [data-framework=jax] canvas"


def test_hover_decodes_and_leaving_returns(page):
    """The pictures follow the pointer over the map; the point stays where it was, and so does the address."""
    original = read_image(page, PICTURE)
    address = page.url
    box = page.locator(f"{PANEL} .map canvas.plane").bounding_box()

    page.mouse.move(box["x"] + 0.05 * box["width"], box["y"] + 0.95 * box["height"])
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.9 * box["height"])
    wait_for_answers(page)
    hovered = read_image(page, PICTURE)
    page.mouse.move(box["x"] - 40, box["y"] - 200)
    page.wait_for_function(
        "([selector, kept]) => Array.from(document.querySelector(selector).getContext('2d')"
        ".getImageData(0, 0, 28, 28).data).filter((_, at) => at % 4 === 0).every((value, at) => value === kept[at])",
        arg=[PICTURE, original],
    )

    assert hovered != original
    assert page.url == address


def test_faces_show_both_ends_of_a_slider(page, service):
    """The pictures beside a slider are what its framework decodes at -3 and +3, all else at the digit's mean."""
    page.wait_for_function(
        f"() => [...document.querySelectorAll('{PANEL} .face')].every(face => face.getContext('2d')"
        ".getImageData(0, 0, 28, 28).data.some((value, at) => at % 4 === 0 && value > 0))"
    )
    with page.expect_download() as download:
        page.click("[aria-label='Save mean and log variance by the encoder as npy']")
    mean = np.load(download.value.path())[0]
    dimension = int(page.locator(f"{PANEL} .slider input >> nth=0").get_attribute("id").removeprefix("latent-"))
    faces = [
        page.evaluate(
            "at => Array.from(document.querySelectorAll('.face')[at].getContext('2d').getImageData(0, 0, 28, 28).data)"
            ".filter((_, index) => index % 4 === 0)",
            at,
        )
        for at in (0, 1)
    ]

    z = np.tile(mean, (2, 1)).astype(np.float32)
    z[:, dimension] = -3, 3
    probs = read_npy(post_npy(service, "/decode?framework=jax", z, Accept="application/x-npy")).reshape(2, -1)
    assert np.abs(np.round(probs * 255) - faces).max() <= 1


def test_wiggle_swings_a_latent_and_returns(page):
    """The button swings its latent once through its range, and ends where it began."""
    slider = f"{PANEL} .slider input >> nth=0"
    before = page.input_value(slider)

    page.click(f"{PANEL} .wiggle >> nth=0")
    page.wait_for_function(
        "([selector, before]) => Math.abs(document.querySelector(selector).value - before) > 1",
        arg=[f"{PANEL} .slider input", float(before)],
    )
    page.wait_for_selector(f"{PANEL} .wiggle[aria-pressed=true]", state="detached")
    wait_for_answers(page)

    assert abs(float(page.input_value(slider)) - float(before)) < 0.06


def test_point_beyond_the_edge_is_shown_on_it(visit):
    """An encoding outside the pad is a hollow dot on its edge, and the hint says so; others stay when two move."""

    def push(route):
        content = route.fetch().json()
        content["mean"] = [[9.0] * len(content["mean"][0])]
        route.fulfill(json=content)

    page = visit("sample")
    page.route("**/encode?*", push)
    page.click("#tab-latent")
    page.wait_for_selector(f"{PANEL} .slider input")
    wait_for_answers(page)
    hints = page.locator(f"{PANEL} :is(.pad, .map) .hint")

    beyond = hints.all_inner_texts()
    ring = page.eval_on_selector(
        f"{PANEL} .pad canvas",
        "canvas => Array.from(canvas.getContext('2d').getImageData(canvas.width - 16, 9, 1, 1).data).slice(0, 3)",
    )
    page.focus(f"{PANEL} .pad canvas")
    page.keyboard.press("ArrowLeft")
    moved = sorted(map(float, page.locator(f"{PANEL} .slider output").all_inner_texts()))
    page.click("text=Set all to zero")
    inside = hints.all_inner_texts()

    assert ["Hollow" in text for text in beyond] == [True, True]
    assert ring == [0, 114, 178]
    assert moved == [4.0, 4.0, *[9.0] * 18]
    assert ["Hollow" in text for text in inside] == [False, False]
