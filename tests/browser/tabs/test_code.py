"""The tab Code: the installed source of the three, aligned, and lines that light up together."""

import pytest

from tests.browser.looks import fits
from tests.support.app import assert_problem
from training.frameworks import FRAMEWORKS
from training.source_alignment import read_twins

PANEL = "#panel-code"
FILES = ("model.py", "losses.py", "train.py")


def lit(page):
    """Return the text of the lines that are lit, by framework; None where a framework has none."""
    texts = {}
    for name in FRAMEWORKS:
        line = page.query_selector(f"{PANEL} [data-framework={name}] .lit:not(.absent) code")
        texts[name] = line and line.text_content().strip()
    return texts


@pytest.fixture
def page(visit):
    """The tab, with model.py."""
    page = visit("code")
    page.wait_for_selector(f"{PANEL} .code-line")
    return page


@pytest.mark.parametrize("file", FILES)
def test_code_is_the_installed_source(service, file):
    """The lines of each framework are those of its file, each once and in order."""
    definitions = service.get("/page/code", params={"file": file}).raise_for_status().json()["definitions"]

    lines = [line["cells"] for definition in definitions for line in definition["lines"]]
    for framework, source in read_twins(file, FRAMEWORKS).items():
        cells = sorted((cells[framework] for cells in lines if cells[framework]), key=lambda cell: cell["number"])
        texts = ["".join(text for _, text in cell["tokens"]) for cell in cells]
        assert "\n".join(texts) + "\n" == source


@pytest.mark.parametrize("query", ["file=weights.py", "file=../config.py", "fil=model.py"])
def test_other_file_is_refused(service, query):
    """A file that isn't one of the three is a problem of the request."""
    assert_problem(service.get(f"/page/code?{query}"), 422)


def test_twins_light_up_together(page):
    """The pointer over a line lights it, and what answers to it in the other two."""
    page.hover(f"{PANEL} [data-framework=pytorch] .code-line:has-text('def forward') code")

    assert [text.split("(")[0] for text in lit(page).values()] == ["def __call__", "def call", "def forward"]


def test_lines_are_walked_with_the_keyboard_and_a_link_replays_the_place(page, visit):
    """Down moves the light along the lines, and a link opens file, line and framework again."""
    page.focus(f"{PANEL} [data-framework=jax] .code-text")
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    page.wait_for_function("() => location.hash.includes('line=11')")

    other = visit(page.url.split("#")[1])
    other.wait_for_selector(f"{PANEL} .lit")

    assert lit(other) == lit(page)


def test_narrow_screen_shows_one_framework(page):
    """At 320 px there is a button for each framework, and its column alone; nothing is wider than the window."""
    page.set_viewport_size({"width": 320, "height": 800})

    page.click(f"{PANEL} .code-choice [data-of=tensorflow]")

    assert page.is_visible(f"{PANEL} [data-framework=tensorflow] .code-text")
    assert page.is_hidden(f"{PANEL} [data-framework=jax] .code-text")
    assert fits(page)


def test_another_file_is_shown_when_it_is_picked(page):
    """The file picker and the list of definitions lead there."""
    page.select_option("#code-file", "losses.py")
    page.wait_for_selector(f"{PANEL} .code-line:has-text('def kl_divergence')")

    page.select_option("#code-definition", label="kl_divergence")

    assert "kl_divergence" in page.inner_text(f"{PANEL} [data-framework=jax]")
    assert page.query_selector(f"{PANEL} .lit") is not None
