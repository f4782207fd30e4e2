"""The first minute on the page: ghost pen, first stroke, undo by keyboard, explanations, dropped files."""

import base64
import time

import numpy as np
import pytest

from tests.browser.looks import DRAWING, draw, read_image, wait_for_answers
from tests.support.app import CHECKOUT

ADDRESS = "reconstruct"


def test_ghost_pen_writes_on_the_first_visit_only(visit):
    """On the first visit a digit is written, and then it is the visitor's turn; a reload shows no ghost."""
    page = visit()

    page.wait_for_selector(".draw-hint:has-text('Your turn')")
    wait_for_answers(page)
    written = read_image(page, DRAWING)
    page.goto("about:blank")
    page.go_back()
    page.wait_for_selector(".draw-hint:has-text('Draw here'), .draw-hint[hidden]", state="attached")

    assert 20 < sum(value > 100 for value in written) < 300


@pytest.mark.parametrize(("place", "motion"), [("reconstruct?digit=3", "no-preference"), ("", "reduce")])
def test_ghost_pen_stays_away_from_links_and_reduced_motion(visit, place, motion):
    """A shared link shows what it names, and nothing moves for visitors who prefer that."""
    page = visit(place, reduced_motion=motion)
    wait_for_answers(page)
    before = read_image(page, DRAWING)

    page.wait_for_timeout(600)

    assert read_image(page, DRAWING) == before
    assert any(before)


def test_first_stroke_replaces_an_example(page):
    """A stroke on an untouched test digit starts a new drawing; the next one adds to it."""
    digit = np.array(read_image(page, DRAWING))
    hint = page.inner_text(".draw-hint")

    draw(page, (0.2, 0.9), (0.8, 0.9))
    first = np.array(read_image(page, DRAWING))
    draw(page, (0.1, 0.2), (0.1, 0.8))
    second = np.array(read_image(page, DRAWING))

    assert hint == "Draw here"
    assert digit.reshape(28, 28)[:20].max() > 0
    assert first.reshape(28, 28)[:20].max() == 0
    assert (second >= first).all()
    assert second.sum() > first.sum()
    assert page.is_hidden(".draw-hint")


def test_undo_and_redo_by_keyboard(page):
    """Ctrl+Z takes a stroke back, Ctrl+Shift+Z restores it, wherever the focus is, but for text fields."""
    before = read_image(page, DRAWING)
    draw(page, (0.2, 0.9), (0.8, 0.9))
    drawn = read_image(page, DRAWING)

    page.keyboard.press("Control+z")
    undone = read_image(page, DRAWING)
    page.keyboard.press("Control+Shift+Z")
    redone = read_image(page, DRAWING)
    page.focus("#panel-reconstruct .seed")
    page.keyboard.press("Control+z")

    assert undone == before
    assert redone == drawn
    assert read_image(page, DRAWING) == drawn


def test_keyboard_hint_is_seen_on_focus(page):
    """Visitors who reach the canvas with the keyboard see how to draw with it."""
    page.focus("[aria-label='Pen'], .tools button")
    page.keyboard.press("Shift+Tab")

    assert page.is_visible(".keys-hint")
    assert "Space" in page.inner_text(".keys-hint")


@pytest.mark.parametrize("term", ["ELBO", "nats", "KL divergence", "Seed"])
def test_term_explains_itself_by_keyboard(page, term, assert_accessible):
    """Enter on a term opens its explanation, which is also its description; Escape closes it."""
    button = page.locator(f"#panel-reconstruct button.term:text-is('{term}') >> nth=0")

    button.focus()
    page.keyboard.press("Enter")
    explanation = page.inner_text("#explanation")
    described = page.text_content(f"#{button.get_attribute('aria-describedby')}")
    assert_accessible(page)
    page.keyboard.press("Escape")

    assert explanation == described
    assert len(explanation) > 40
    assert page.is_hidden("#explanation")


def test_every_tab_says_what_is_seen(visit):
    """Each tab has a button that explains it in a few sentences."""
    page = visit("reconstruct")
    page.wait_for_selector("button.about")
    texts = set()
    for tab in page.query_selector_all("[role=tab]"):
        tab.click()
        page.click("[role=tabpanel]:not([hidden]) button.about")
        texts.add(page.inner_text("#explanation"))
        page.keyboard.press("Escape")

    assert len(texts) == len(page.query_selector_all("[role=tab]"))
    assert all(len(text) > 100 for text in texts)


def test_file_is_taken_wherever_it_is_dropped(page):
    """A photo dropped far from the canvas is read, and the browser stays on the page."""
    photo = base64.b64encode((CHECKOUT / "docs" / "images" / "photo.jpg").read_bytes()).decode()

    is_prevented = page.evaluate(
        """content => {
            const bytes = Uint8Array.from(atob(content), character => character.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
            const options = { bubbles: true, cancelable: true, dataTransfer: data };
            return !document.querySelector(".masthead").dispatchEvent(new DragEvent("drop", options));
        }""",
        photo,
    )
    page.wait_for_selector("text=Read as dark ink on light paper.")

    assert is_prevented


def test_live_pictures_take_few_bytes(page):
    """A digit drawn in three seconds takes less than 300 kB, all frameworks, pictures and figures together.

    On a busy machine the same steps take longer, so the bound grows with the time.
    """
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))

    page.click("button:text-is('Clear')")
    started = time.monotonic()
    points = [(0.3, 0.25), (0.5, 0.15), (0.7, 0.3), (0.5, 0.5), (0.7, 0.7), (0.5, 0.85), (0.3, 0.75)]
    draw(page, *points, steps=9, pause_ms=50)
    wait_for_answers(page)

    assert len(sizes) > 30
    assert sum(sizes) < 100_000 * max(3, time.monotonic() - started)


def test_drawing_stays_while_an_example_loads(visit):
    """The example of a link doesn't replace what the visitor has drawn before it arrived."""
    page = visit("code")
    routes = []

    def hold(route):
        routes.append(route)

    page.route("**/first_digits.png", hold)
    with page.expect_request("**/first_digits.png"):
        page.click("#tab-reconstruct")

    draw(page, (0.2, 0.5), (0.8, 0.5))
    drawn = read_image(page, DRAWING)
    for route in routes:
        route.continue_()
    page.wait_for_selector("#panel-reconstruct .digits button")
    wait_for_answers(page)

    assert any(drawn)
    assert read_image(page, DRAWING) == drawn
    assert page.locator("#panel-reconstruct .digits [aria-pressed=true]").count() == 0
