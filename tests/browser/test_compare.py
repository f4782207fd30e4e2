"""The tab Compare: the report's figures as charts and tables, and what the visitor measures."""

import json

import pytest

from tests.service import CHECKOUT

PANEL = "#panel-compare"
READY = "#frameworks .chip.pytorch[data-state=ready]"
SUMMARY = json.loads((CHECKOUT / "app" / "web" / "data" / "comparison.json").read_text())


def test_charts_are_those_of_the_summary(visit):
    """Each chart has its picture, and a table with as many figures as the summary has; where they are from is told."""
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
        {"kind": "bars", "title": "Epoch", "unit": "s", "axis": ["compiled", "eager"], "section": "training",
         "series": [{"framework": "pytorch", "values": [None, 3.25]}]},
    ]  # fmt: skip
    origin = {"machine": "an abacus", "commit": "", "day": "1974-05-01"}
    report = {"smoke": False, "missing": ["code"], "charts": [{**chart, "measured": [origin]} for chart in charts]}
    page = visit()
    page.route("**/comparison.json", lambda route: route.fulfill(json=report))

    page.click("#tab-compare")
    page.wait_for_selector(f"{PANEL} figure")

    points = page.get_attribute(f"{PANEL} polyline.jax", "points")
    assert len(points.split()) == 300
    assert "NaN" not in page.inner_html(PANEL)
    assert page.is_visible(f"{PANEL} text:has-text('3.25')")
    assert "Not measured yet: code." in page.inner_text(PANEL)
    assert "an abacus (commit unknown, 1974-05-01)" in page.inner_text(PANEL)


def test_visitor_measures_every_framework_and_size(visit):
    """The button fills a table: a row for each framework and size, whose model time is a part of the whole."""
    page = visit("compare?n=10")

    page.wait_for_selector(READY)
    page.click(f"{PANEL} button:has-text('Measure')")
    page.wait_for_selector(f"{PANEL} .live .hint:has-text('Done: 10 requests each')", timeout=60_000)

    rows = page.eval_on_selector_all(
        f"{PANEL} .live tbody tr",
        "rows => rows.map(row => Array.from(row.cells).slice(1).map(cell => cell.textContent.replace(',', '')))",
    )
    figures = [[float(text) for text in row] for row in rows]
    assert [row[0] for row in figures] == [size for size in (1, 16, 64, 256) for _ in range(3)]
    for _, median, p95, model, rate in figures:
        assert 0 < model < median <= p95
        assert rate > 0


def test_measuring_stops_when_another_tab_is_shown(visit):
    """Nobody measures for a tab that isn't seen."""
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
    """A server without the report's file says so, and can be measured all the same."""
    allowed.append("404")
    page = visit()
    page.route("**/comparison.json", lambda route: route.fulfill(status=404, body="none"))

    page.click("#tab-compare")

    page.wait_for_selector(f"{PANEL} .notice:has-text('figures are missing')")
    assert page.is_visible(f"{PANEL} button:has-text('Measure')")
