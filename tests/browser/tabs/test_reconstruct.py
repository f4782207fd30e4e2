"""The tab Reconstruct: drawing, digits, links, and what is saved and copied. Pictures are `test_pictures.py`'s."""

import shlex
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.browser.looks import DRAWING, MINUS, NOTHING, draw, figures, read_image, wait_for_answers

ADDRESS = "reconstruct?weights=own"


def test_panels_follow_the_hand(page):
    """While the button is still down the three panels and the difference show the unfinished drawing."""
    page.click("button:text-is('Clear')")
    box = page.locator(DRAWING).bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 160, steps=10)
    wait_for_answers(page)
    halfway = figures(page)
    page.mouse.move(box["x"] + 180, box["y"] + 160, steps=10)
    page.mouse.up()
    wait_for_answers(page)

    assert all(text.lstrip(MINUS).replace(".", "").isdigit() for text in halfway)
    assert figures(page) != halfway
    assert max(read_image(page, "#panel-reconstruct .difference canvas")) > 0


def test_eraser_undo_and_clear(page):
    """The eraser takes ink away, undo brings the image before back, clear empties canvas and panels."""
    draw(page, (0.2, 0.5), (0.8, 0.5))
    inked = read_image(page, DRAWING)
    page.click("button:text-is('Eraser')")
    draw(page, (0.2, 0.5), (0.8, 0.5))
    erased = read_image(page, DRAWING)
    page.click("button:text-is('Undo')")
    undone = read_image(page, DRAWING)
    page.click("button:text-is('Clear')")
    cleared = read_image(page, DRAWING)

    assert sum(erased) < sum(inked)
    assert undone == inked
    assert not any(cleared)
    assert figures(page) == [NOTHING] * 3


def test_thickness_widens_the_line(page):
    """A thicker pen leaves more ink."""
    ink = []
    for thickness in ("0.5", "2.5"):
        page.click("button:text-is('Clear')")
        page.fill("#thickness", thickness)
        draw(page, (0.2, 0.5), (0.8, 0.5))
        ink.append(sum(read_image(page, DRAWING)))

    assert ink[1] > 2 * ink[0]


def test_keyboard_alone_draws(page):
    """Space puts the pen down, and the arrows draw."""
    page.click("button:text-is('Clear')")

    page.focus(DRAWING)
    page.keyboard.press("Space")
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    wait_for_answers(page)

    image = np.array(read_image(page, DRAWING)).reshape(28, 28)
    assert image[14:20, 13:15].min() > 0
    assert image[:, :10].max() == 0


def test_finger_draws_without_scrolling(visit):
    """A touch on the canvas draws, and the page stays where it is."""
    page = visit("reconstruct", width=390, height=800, has_touch=True)
    wait_for_answers(page)
    page.tap("button:text-is('Clear')")
    box = page.locator(DRAWING).bounding_box()

    session = page.context.new_cdp_session(page)
    before = page.evaluate("scrollY")
    for kind, y in (("touchStart", 0.3), ("touchMove", 0.5), ("touchMove", 0.7), ("touchEnd", None)):
        points = [] if y is None else [{"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] * y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    wait_for_answers(page)

    assert max(read_image(page, DRAWING)) == 255
    assert page.evaluate("scrollY") == before


def test_link_replays_drawing_and_seed(page, visit):
    """The address of one visitor shows another the same image and the same figures."""
    page.click("button:text-is('Clear')")
    draw(page, (0.3, 0.2), (0.6, 0.5), (0.3, 0.8))
    page.fill("#panel-reconstruct .seed", "12345")
    wait_for_answers(page)
    page.wait_for_function("() => location.hash.includes('seed=12345') && location.hash.includes('pixels=')")

    other = visit(page.url.split("#")[1])
    wait_for_answers(other)

    assert read_image(other, DRAWING) == read_image(page, DRAWING)
    assert figures(other) == figures(page)


def test_link_replays_an_empty_canvas(page, visit):
    """A link to a cleared canvas opens an empty canvas, not the first digit."""
    page.click("button:text-is('Clear')")
    page.wait_for_function("() => location.hash.includes('pixels=')")

    other = visit(page.url.split("#")[1])
    other.wait_for_selector(".digits [aria-pressed]")

    assert other.is_visible(".draw-hint")
    assert not any(read_image(other, DRAWING))
    assert figures(other) == [NOTHING] * 3


def test_seed_that_is_no_seed_leaves_the_last_one(page, visit):
    """While the field is empty or wrong, answers have the seed that the address has."""
    page.fill("#panel-reconstruct .seed", "12345")
    for text in ("", "-3"):
        page.fill("#panel-reconstruct .seed", text)
    page.click("[aria-label='Test digit 2, a 1']")
    page.wait_for_function("() => location.hash.includes('digit=2')")
    wait_for_answers(page)

    other = visit("reconstruct?seed=12345&digit=2&weights=own")
    wait_for_answers(other)

    assert "seed=12345" in page.url
    assert figures(other) == figures(page)


def test_digit_of_the_test_set_is_answered_and_linked(page, visit):
    """A digit is chosen from the strip, and a link to one shows the part of the strip where it is."""
    page.click("[aria-label='Test digit 2, a 1']")
    page.wait_for_function("() => location.hash.includes('digit=2')")
    other = visit("reconstruct?digit=321&weights=own")

    assert other.wait_for_selector("[data-index='321'][aria-pressed=true]").is_visible()
    wait_for_answers(other)
    assert figures(other) != figures(page)


def test_result_is_saved_as_png_and_npy(page):
    """The files hold the reconstruction."""
    with page.expect_download() as png:
        page.click("[aria-label='Save reconstruction by JAX as PNG']")
    with page.expect_download() as npy:
        page.click("[aria-label='Save reconstruction by JAX as npy']")

    with Image.open(png.value.path()) as picture:
        assert picture.size == (224, 224)
    array = np.load(npy.value.path())
    assert array.shape == (1, 28, 28)
    pixels = np.array(read_image(page, "#panel-reconstruct [data-framework=jax] canvas"))
    assert np.abs(np.round(array.ravel() * 255) - pixels).max() <= 1


@pytest.mark.parametrize("kind", ["curl", "Python"])
def test_copied_command_gives_the_same_answer(page, kind):
    """Copied commands run unchanged, and print the figures that the page shows."""
    page.click(f"[aria-label='Copy as {kind}: reconstruction by JAX']")
    page.wait_for_selector("text=Copied")
    text = page.evaluate("navigator.clipboard.readText()")
    if kind == "Python":
        command = [sys.executable, "-c", text + "\nprint(result['elbo'][0])"]
    else:
        print_elbo = f"{shlex.quote(sys.executable)} -c 'import json, sys; print(json.load(sys.stdin)[\"elbo\"][0])'"
        command = ["bash", "-c", f"{text.rstrip()} | {print_elbo}"]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert f"{float(done.stdout.splitlines()[-1]):.1f}".replace("-", MINUS) == figures(page)[0]


def test_gesture_becomes_a_picture(page, capsys):
    """The browser measures from each move of the hand to the picture that it made; the figure is printed."""
    page.click("button:text-is('Clear')")
    draw(page, (0.3, 0.2), (0.7, 0.3), (0.4, 0.5), (0.7, 0.7), (0.3, 0.8), steps=15)
    wait_for_answers(page)

    durations = page.evaluate("performance.getEntriesByName('gesture-to-picture').map(entry => entry.duration)")

    p50, p95 = np.percentile(durations, [50, 95])
    with capsys.disabled():
        print(f"\ngesture to picture: p50 {p50:.0f} ms, p95 {p95:.0f} ms, of {len(durations)} pictures")  # noqa: T201 -- to be read, and not asserted
