"""The switch "Same weights": all frameworks run one checkpoint, or each its own."""

import pytest

from tests.browser.looks import read_image, wait_for_answers
from training.frameworks import FRAMEWORKS

SWITCH = "[role=tabpanel]:not([hidden]) .segmented"


def read_pictures(page, tab):
    """Return each framework's picture."""
    return [read_image(page, f"#panel-{tab} [data-framework={name}] canvas") for name in FRAMEWORKS]


@pytest.mark.parametrize("place", ["reconstruct?digit=3", "sample", "interpolate?at=3"])
def test_switch_makes_the_frameworks_agree(visit, place):
    """The page opens with the same weights, whose pictures are equal; a click shows each framework's own."""
    tab = place.split("?")[0]
    page = visit(place)
    wait_for_answers(page)

    same = read_pictures(page, tab)
    explained = page.inner_text(f"#panel-{tab}")
    page.click(f"{SWITCH} >> text=Each its own")
    wait_for_answers(page)
    own = read_pictures(page, tab)

    assert same[0] == same[1] == same[2]
    assert "run the same weights, trained with JAX" in explained
    assert own[0] == same[0]
    assert own[1] != own[0]
    assert own[2] != own[1]
    assert "trained separately, from the same recipe" in page.inner_text(f"#panel-{tab}")


def test_difference_is_amplified(visit):
    """With the same weights the difference is rounding, amplified until it is seen, or nothing at all."""
    page = visit("reconstruct?digit=3")
    wait_for_answers(page)

    text = page.inner_text("#panel-reconstruct .difference .figures")
    largest = float(page.inner_text("#panel-reconstruct .difference dd.main"))

    assert "identical" in text or "1,000,000" in text
    assert largest < 2e-6


def test_choice_is_part_of_the_link(visit):
    """A link keeps the choice, and may name whose weights all use."""
    page = visit("reconstruct?digit=3")
    wait_for_answers(page)
    page.click(f"{SWITCH} >> text=Each its own")
    page.wait_for_function("() => location.hash.includes('weights=own')")
    linked = visit("reconstruct?digit=3&weights=pytorch")
    wait_for_answers(linked)

    assert "trained with PyTorch" in linked.inner_text("#panel-reconstruct")


@pytest.mark.parametrize("place", ["sample", "interpolate?at=3"])
def test_difference_of_many_pictures_is_shown_amplified(visit, place):
    """Samples and interpolations have a picture of what differs with the same weights, or say that nothing does."""
    page = visit(place)
    wait_for_answers(page)
    panel = f"#panel-{place.split('?')[0]}"

    page.click(f"{panel} .difference-picture summary")
    summary = page.inner_text(f"{panel} .difference-picture summary")

    assert "identical" in summary or "1,000,000" in summary
    assert page.is_visible(f"{panel} .difference-picture canvas")
