"""The page on phones, short screens, at 200% zoom and in forced colors."""

import pytest

from tests.browser.looks import DRAWING, fits, wait_for_answers
from training.frameworks import FRAMEWORKS

SIZES = [(390, 844), (320, 640), (844, 390), (720, 450), (1024, 768), (1440, 900)]
"""720 x 450 is 1440 x 900 at 200% zoom."""


def is_in_sight(page, selector):
    """Return whether an element is wholly inside the window, and not covered in its middle."""
    return page.eval_on_selector(
        selector,
        "node => { const box = node.getBoundingClientRect(); const middle = document.elementFromPoint("
        "(box.left + box.right) / 2, (box.top + box.bottom) / 2);"
        "return box.top >= 0 && box.bottom <= innerHeight && middle === node; }",
    )


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_results_are_in_sight_while_drawing(visit, width, height):
    """With the canvas in sight, so are the pictures and the ELBO of every framework."""
    page = visit("reconstruct?digit=3", width=width, height=height)
    wait_for_answers(page)
    page.eval_on_selector(DRAWING, "node => node.scrollIntoView({ block: 'end' })")

    assert page.eval_on_selector(DRAWING, "node => node.getBoundingClientRect().bottom <= innerHeight + 1")
    for name in FRAMEWORKS:
        panel = f"#panel-reconstruct [data-framework={name}]"
        assert is_in_sight(page, f"{panel} canvas"), name
        assert is_in_sight(page, f"{panel} dd.main"), name
    assert fits(page)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_pictures_of_a_row_are_level_under_whole_titles(visit, width, height):
    """The frameworks' pictures and their difference begin at one height, and no title is cut off."""
    page = visit("reconstruct?digit=3", width=width, height=height)
    wait_for_answers(page)

    tops = page.eval_on_selector_all(
        "#panel-reconstruct .framework canvas", "all => all.map(one => Math.round(one.getBoundingClientRect().top))"
    )
    cut = page.eval_on_selector_all(
        "#panel-reconstruct .framework h3",
        "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)",
    )

    assert len(tops) == len(FRAMEWORKS) + 1
    assert len(set(tops)) == 1
    assert cut == []


@pytest.mark.parametrize(("width", "height"), [(720, 450), (844, 390), (390, 844)])
def test_pictures_are_whole_beside_the_sliders(visit, assert_accessible, width, height):
    """While a slider far down is used, the pictures of the latent space are in sight and whole, under their heading."""
    page = visit("latent?digit=3", width=width, height=height)
    wait_for_answers(page)
    page.locator("#panel-latent .slider input >> nth=19").focus()

    assert [is_in_sight(page, f"#panel-latent [data-framework={name}] canvas") for name in FRAMEWORKS] == [True] * 3
    assert_accessible(page)


def test_sliders_have_room_on_the_narrowest_phone(visit):
    """At 320 pixels a slider's track is wide enough to move in, in the place of the KL."""
    page = visit("latent?digit=3", width=320, height=640)
    wait_for_answers(page)

    assert page.locator("#panel-latent .track").first.bounding_box()["width"] > 90
    assert not page.locator("#panel-latent .slider .kl").first.is_visible()
    assert fits(page)


@pytest.mark.parametrize("tab", ["reconstruct", "latent", "sample", "interpolate"])
def test_controls_stay_in_their_cards(visit, tab):
    """On the narrowest screen, no control or figure reaches over the edge of its card."""
    page = visit(tab, width=320, height=640)
    wait_for_answers(page)

    outside = page.evaluate(
        """tab => [...document.querySelectorAll(`#panel-${tab} .card :is(button, input, select, output)`)]
            .filter(node => node.getBoundingClientRect().right > node.closest('.card').getBoundingClientRect().right)
            .map(node => node.outerHTML)""",
        tab,
    )

    assert outside == []


@pytest.mark.parametrize("tab", ["reconstruct", "latent", "sample", "interpolate"])
def test_buttons_stay_on_one_line(visit, tab):
    """On the narrowest screen, no button's words are broken into two lines."""
    page = visit(tab, width=320, height=640)
    wait_for_answers(page)
    if page.is_visible(f"#panel-{tab} .details-button"):
        page.click(f"#panel-{tab} .details-button")

    broken = page.evaluate(
        """tab => [...document.querySelectorAll(`#panel-${tab} button:not(.term)`)].filter(node => {
            const range = document.createRange();
            range.selectNodeContents(node);
            return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1;
        }).map(node => node.textContent)""",
        tab,
    )

    assert broken == []


def test_details_unfold_on_a_phone(visit, assert_accessible):
    """Figures and buttons that a phone has no room for are behind a button."""
    page = visit("reconstruct?digit=3", width=390, height=844)
    wait_for_answers(page)
    button = "#panel-reconstruct .details-button"
    save = "[aria-label='Save reconstruction by JAX as PNG']"

    before = page.is_visible(save)
    page.click(button)

    assert not before
    assert page.is_visible(save)
    assert page.get_attribute(button, "aria-pressed") == "true"
    assert_accessible(page)


def test_forced_colors_keep_sliders_and_states_apart(visit):
    """In forced colors, sliders have their native track, pressed buttons a fill, and only the open tab a line."""
    page = visit("latent?digit=3", forced_colors="active")
    wait_for_answers(page)

    styles = page.evaluate(
        """() => {
            const style = selector => getComputedStyle(document.querySelector(selector));
            return {
                track: style('#panel-latent .track input').appearance,
                open: style('[role=tab][aria-selected=true]').borderBottomColor,
                closed: style('[role=tab][aria-selected=false]').borderBottomColor,
                dots: ['jax', 'tensorflow'].map(name => style(`#frameworks .${name} .dot`).backgroundColor),
                spread: style('#panel-latent .posterior').borderTopWidth,
            };
        }"""
    )

    assert styles["track"] == "auto"
    assert styles["open"] != styles["closed"]
    assert styles["dots"][0] != styles["dots"][1]
    assert styles["spread"] == "1px"


@pytest.mark.parametrize("tab", ["reconstruct", "compare"])
def test_forced_colors_keep_contrast(visit, assert_accessible, tab):
    """In forced colors, every text has the contrast of WCAG AA, that of the main buttons too."""
    page = visit(tab, forced_colors="active", color_scheme="dark")
    page.wait_for_selector(f"#panel-{tab} button")

    assert_accessible(page, only=["wcag2aa"])
