"""The tab Interpolate: two digits, and what lies between them in each framework's latent space."""

import numpy as np
import pytest

from tests.browser.looks import read_image, wait_for_answers
from tests.support.app import post_npy, read_npy
from training.data import load_dataset
from training.frameworks import FRAMEWORKS

PANEL = "#panel-interpolate"


def strip(page, framework):
    """Return the images of a framework's filmstrip."""
    selector = f"{PANEL} [data-framework={framework}] canvas:not(.movie)"
    width = page.eval_on_selector(selector, "canvas => canvas.width")
    pixels = np.reshape(read_image(page, selector), (28, width))
    return [pixels[:, left : left + 28] for left in range(0, width, 29)]


def movie(page, framework="jax"):
    """Return the image that is shown of a framework's animation."""
    return np.reshape(read_image(page, f"{PANEL} [data-framework={framework}] .movie"), (28, 28))


def test_link_replays_ends_steps_and_place(visit, service):
    """A link shows the line between two test digits, as each framework has it, and one step of it, standing still."""
    page = visit("interpolate?weights=own&from=3&to=8&steps=8&at=5")
    wait_for_answers(page)

    ends = load_dataset("mnist").test[[3, 8]]
    for framework in FRAMEWORKS:
        url = f"/interpolate?framework={framework}&steps=8"
        probs = read_npy(post_npy(service, url, ends, Accept="application/x-npy"))
        expected = np.round(probs.reshape(8, 28, 28) * 255)
        assert np.abs(np.array(strip(page, framework)) - expected).max() <= 1
        assert np.abs(movie(page, framework) - expected[5]).max() <= 1
    assert page.inner_text(f"{PANEL} button:has-text('Play')") == "Play"


def test_animation_runs_until_it_is_paused(visit):
    """It moves by itself, and a button stops it."""
    page = visit("interpolate?weights=own")
    wait_for_answers(page)
    first = page.input_value("#interpolate-at")

    page.wait_for_function("first => document.querySelector('#interpolate-at').value !== first", arg=first)
    page.click(f"{PANEL} button:has-text('Pause')")
    stopped = page.input_value("#interpolate-at")
    page.wait_for_timeout(500)

    assert page.input_value("#interpolate-at") == stopped


def test_link_of_a_paused_animation_shows_its_step(visit):
    """Pausing writes the step into the address, and playing takes it out."""
    page = visit("interpolate?weights=own&from=3&to=8")
    wait_for_answers(page)

    page.wait_for_function("() => Number(document.querySelector('#interpolate-at').value) > 1")
    page.click(f"{PANEL} button:has-text('Pause')")
    page.wait_for_function("() => location.hash.includes('at=')")
    other = visit(page.url.split("#")[1])
    wait_for_answers(other)
    page.click(f"{PANEL} button:has-text('Play')")
    page.wait_for_function("() => !location.hash.includes('at=')")

    assert other.input_value("#interpolate-at") == other.url.split("at=")[1]
    assert other.is_visible(f"{PANEL} button:has-text('Play')")


def test_nothing_moves_for_those_who_asked_for_that(visit):
    """With reduced motion the animation waits for its button."""
    page = visit("interpolate?weights=own", reduced_motion="reduce")
    wait_for_answers(page)

    assert page.is_visible(f"{PANEL} button:has-text('Play')")


def test_step_is_set_with_the_keyboard(visit):
    """The arrow keys stop the animation and step through it."""
    page = visit("interpolate?weights=own&from=3&to=8&at=0")
    wait_for_answers(page)
    before = movie(page)

    page.focus("#interpolate-at")
    page.keyboard.press("End")

    assert (movie(page) == strip(page, "jax")[-1]).all()
    assert (movie(page) != before).any()


@pytest.mark.parametrize("end", ["From", "To"])
def test_end_is_drawn(visit, end):
    """An end that is cleared is missed in a sentence; drawn on, it is an end again, and in the link."""
    page = visit("interpolate?weights=own&from=3&to=8&at=0")
    wait_for_answers(page)
    before = strip(page, "jax")

    page.click(f"{PANEL} [aria-label={end}] button:has-text('Clear')")
    page.wait_for_selector(f"{PANEL} .notice:has-text('Draw or pick a digit at both ends')")
    box = page.locator(f"{PANEL} [aria-label={end}] .drawing").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 20, steps=8)
    page.mouse.up()
    page.wait_for_function(f"() => location.hash.includes('{end.lower()}-pixels=')")
    wait_for_answers(page)

    at = 0 if end == "From" else -1
    assert (strip(page, "jax")[at] != before[at]).any()
    assert page.is_hidden(f"{PANEL} .notice:has-text('Draw or pick a digit at both ends')")
