"""The tab Compare: the report's figures as charts and tables, and what the visitor measures."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from tests.browser.looks import save
from tests.support.app import CHECKOUT
from training.frameworks import FRAMEWORKS

PANEL = "#panel-compare"
CHART_MARGIN = (32, 124)
"""Pixels around the chart of a saved picture: across, and at least down."""

CHART_HEAD = 72
"""Distance of the chart from the top of a saved picture."""

PASTEABLE = 4096
"""Characters that a terminal accepts in one line."""

SMALLEST_TEXT = 11
"""In pixels."""

READY = "#frameworks .chip.pytorch[data-state=ready]"
SUMMARY = json.loads((CHECKOUT / "app" / "web" / "data" / "comparison.json").read_text())


def color(page, name):
    """Return red, green and blue of one of the page's colors."""
    text = page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}')")
    return [int(text[at : at + 2], 16) for at in (1, 3, 5)]


def test_charts_are_those_of_the_summary(visit):
    """Each chart has its picture, and a table with as many figures as the summary has, and their origin is shown."""
    page = visit("compare")
    page.wait_for_selector(f"{PANEL} figure")

    tables = page.eval_on_selector_all(
        f"{PANEL} figure", "all => all.map(one => one.querySelectorAll('svg, tbody td').length)"
    )

    assert tables == [1 + sum(len(series["values"]) for series in chart["series"]) for chart in SUMMARY["charts"]]
    assert SUMMARY["charts"][0]["measured"][0]["machine"] in page.inner_text(PANEL)


def test_lines_and_bars_of_any_section_are_drawn(visit):
    """Long curves, values that are missing and sections that are missing have their place too."""
    charts = [
        {"kind": "lines", "title": "Curve", "unit": "nats", "axis": list(range(1, 301)), "section": "quality",
         "series": [{"framework": "jax", "values": [90 + 100 / epoch for epoch in range(1, 301)]}]},
        {"kind": "lines", "title": "Gap", "unit": "ms", "axis": [1, 2, 3], "section": "inference",
         "series": [{"framework": "jax", "values": [1, None, 3]}]},
        {"kind": "bars", "title": "Epoch", "unit": "s", "axis": ["compiled", "eager", "slow"], "section": "training",
         "series": [{"framework": "pytorch", "values": [None, 3.25, 98.99]}]},
    ]  # fmt: skip
    origin = {"machine": "an abacus", "commit": "", "day": "1974-05-01"}
    report = {
        "smoke": False,
        "frameworks": [],
        "missing": ["code"],
        "charts": [{**chart, "measured": [origin]} for chart in charts],
    }
    page = visit()
    page.route("**/comparison.json", lambda route: route.fulfill(json=report))

    page.click("#tab-compare")
    page.wait_for_selector(f"{PANEL} figure")

    points = [line.get_attribute("points") for line in page.query_selector_all(f"{PANEL} polyline.jax")]
    assert [len(line.split()) for line in points] == [300, 2]
    assert "NaN" not in page.inner_html(PANEL)
    assert page.is_visible(f"{PANEL} text:has-text('3.25')")
    assert page.is_visible(f"{PANEL} text:text-is('99.0')")
    assert "Not measured yet: code." in page.inner_text(PANEL)
    assert "an abacus (commit unknown, 1974-05-01)" in page.inner_text(PANEL)


@pytest.mark.parametrize("width", [320, 560, 768, 1440])
def test_text_of_charts_is_readable(visit, width):
    """However narrow the window is, no text of a chart is below 11 pixels, cut off, or within 3 pixels of another."""
    page = visit("compare", width=width)
    page.wait_for_selector(f"{PANEL} figure")

    sizes, overlaps = page.evaluate(f"""() => {{
        const charts = [...document.querySelectorAll('{PANEL} .charts svg')];
        const sizes = charts.map(svg => parseFloat(getComputedStyle(svg).fontSize) * svg.getScreenCTM().a);
        const overlaps = charts.flatMap(svg => {{
            const frame = svg.getBoundingClientRect();
            const texts = [...svg.querySelectorAll('text')];
            // A line of text is higher than what is written in it.
            const boxes = texts.map(text => text.getBoundingClientRect()).map(({{ left, right, top, bottom }}) =>
                ({{ left, right, top: top + (bottom - top) / 4, bottom: bottom - (bottom - top) / 4 }}));
            return boxes.flatMap((one, at) => boxes.slice(0, at).some(other => one.left < other.right + 3 &&
                other.left < one.right + 3 && one.top < other.bottom && other.top < one.bottom) ||
                one.left < frame.left - 1 || one.right > frame.right + 1 ? [texts[at].textContent] : []);
        }});
        return [sizes, overlaps];
    }}""")

    assert len(sizes) == len(SUMMARY["charts"])
    assert min(sizes) >= SMALLEST_TEXT
    assert overlaps == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("number", range(len(SUMMARY["charts"])))
def test_chart_is_saved_as_a_picture_that_stands_alone(visit, scheme, number):
    """The file has twice the chart's pixels on the page's ground; each framework's color is in chart and legend."""
    page = visit("compare", color_scheme=scheme)
    page.wait_for_selector(f"{PANEL} figure")
    chart = SUMMARY["charts"][number]
    figure = page.locator(f"{PANEL} figure").nth(number)
    width, height = figure.locator("svg").evaluate("svg => [svg.viewBox.baseVal.width, svg.viewBox.baseVal.height]")

    with Image.open(save(page, f"Save {chart['title']} as PNG")) as picture:
        pixels = np.array(picture.convert("RGB")).astype(int)

    assert picture.format == "PNG"
    assert picture.width == 2 * (width + CHART_MARGIN[0])
    assert picture.height >= 2 * (height + CHART_MARGIN[1])
    assert (pixels[[0, 0, -1, -1], [0, -1, 0, -1]] == color(page, "card")).all()
    for name in FRAMEWORKS:
        own = (np.abs(pixels - color(page, name)).max(axis=2) < 3).nonzero()[0]
        assert own.min() < 2 * CHART_HEAD < own.max(), name


def test_chart_is_saved_as_numbers(visit):
    """An array has the table's places in its rows and the frameworks in its columns; a CSV file has their names too."""
    page = visit("compare")
    page.wait_for_selector(f"{PANEL} figure")
    chart = SUMMARY["charts"][0]

    array = np.load(save(page, f"Save {chart['title']} as npy"))
    names, *rows = csv.reader(save(page, f"Save {chart['title']} as CSV").read_text().splitlines())

    values = np.array([series["values"] for series in chart["series"]]).T
    np.testing.assert_allclose(array, values, rtol=1e-6)
    assert names == [chart["unit"], "JAX", "TensorFlow", "PyTorch"]
    assert [row[0] for row in rows] == chart["axis"]
    np.testing.assert_array_equal(np.array([row[1:] for row in rows], float), values)


def test_visitor_measures_every_framework_and_size(visit):
    """The button fills a table: a row for each framework and size, whose model time is a part of the whole."""
    page = visit("compare?n=10")

    page.wait_for_selector(READY)
    page.click(f"{PANEL} button:has-text('Measure')")
    page.wait_for_selector(f"{PANEL} .live .hint:has-text('Done: 10 requests per row')", timeout=60_000)

    rows = page.eval_on_selector_all(
        f"{PANEL} .live [aria-label='Measured from this browser'] tbody tr",
        "rows => rows.map(row => Array.from(row.cells).slice(1).map(cell => cell.textContent.replace(',', '')))",
    )
    figures = [[float(text) for text in row] for row in rows]
    assert [row[0] for row in figures] == [size for size in (1, 16, 64, 256) for _ in range(3)]
    for _, median, p95, model, rate in figures:
        assert 0 < model < median <= p95
        assert rate > 0


def test_measurement_is_saved(visit):
    """Measurements are saved as pictures, array and CSV file; a request is copied, short enough to paste."""
    page = visit("compare?n=10")
    page.wait_for_selector(READY)
    page.click(f"{PANEL} button:has-text('Measure')")
    page.wait_for_selector(f"{PANEL} .live .hint:has-text('Done')", timeout=60_000)

    array = np.load(save(page, "Save results measured from this browser as npy"))
    names, *rows = csv.reader(save(page, "Save results measured from this browser as CSV").read_text().splitlines())
    for title in ("Latency", "Throughput"):
        with Image.open(save(page, f"Save {title}, by images per request as PNG")) as picture:
            assert len(picture.convert("RGB").getcolors(1 << 16)) > 3

    page.click("[aria-label='Copy as curl: results measured from this browser']")
    page.wait_for_selector("text=Copied")
    command = page.evaluate("navigator.clipboard.readText()")

    assert names[:3] == ["framework", "images per request", "median, ms"]
    assert [row[:2] for row in rows[:4]] == [["JAX", "1"], ["TensorFlow", "1"], ["PyTorch", "1"], ["JAX", "16"]]
    np.testing.assert_allclose(array, np.array([row[2:] for row in rows], float), rtol=1e-6)
    assert "/reconstruct?framework=jax" in command
    assert len(command) < PASTEABLE


def test_measuring_stops_when_another_tab_is_shown(visit):
    """Measuring stops when the tab is hidden."""
    page = visit("compare?n=100")
    page.wait_for_selector(READY)
    page.click(f"{PANEL} button:has-text('Measure')")
    page.wait_for_selector(f"{PANEL} .live tbody tr")

    page.click("#tab-code")
    page.click("#tab-compare")

    assert page.is_visible(f"{PANEL} button:has-text('Measure')")
    assert "Stopped" in page.inner_text(f"{PANEL} .live")


@pytest.mark.parametrize("width", [320, 1440])
def test_figures_are_read_as_tables_with_the_keyboard(visit, assert_accessible, width):
    """Enter opens a chart's table, which axe finds nothing in."""
    page = visit("compare", width=width)
    page.wait_for_selector(f"{PANEL} figure")

    page.focus(f"{PANEL} summary")
    page.keyboard.press("Enter")

    assert page.is_visible(f"{PANEL} figure td")
    assert_accessible(page)


def test_missing_figures_are_a_sentence(visit, allowed):
    """A server without the report's file says so, and can still be measured."""
    allowed.append("404")
    page = visit()
    page.route("**/comparison.json", lambda route: route.fulfill(status=404, body="none"))

    page.click("#tab-compare")

    page.wait_for_selector(f"{PANEL} .notice:has-text('benchmark results are missing')")
    assert page.is_visible(f"{PANEL} button:has-text('Measure')")
