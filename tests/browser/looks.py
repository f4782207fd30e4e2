"""Helpers of the browser tests: read from a page, wait for it, draw and save."""

from itertools import pairwise

from training.frameworks import FRAMEWORKS

NOTHING = "\N{EN DASH}"
"""Shown in place of a missing figure."""

MINUS = "\N{MINUS SIGN}"

DRAWING = "#panel-reconstruct .drawing"
"""The canvas of the tab Reconstruct."""


def read_image(page, selector):
    """Return the gray values of a canvas, a row after the other."""
    return page.eval_on_selector(
        selector,
        "canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)"
        ".filter((_, index) => index % 4 === 0)",
    )


def figures(page):
    """Return the ELBO that each framework's panel of the tab Reconstruct shows."""
    return [page.inner_text(f"#panel-reconstruct [data-framework={name}] dd.main") for name in FRAMEWORKS]


def wait_for_answers(page):
    """Wait until the open tab has sent its requests, none is in flight, and the hand that draws rests."""
    page.wait_for_selector("[role=tabpanel]:not([hidden])[data-busy=false]:not([data-resting=false])")


def draw(page, *points, steps=8, pause_ms=0):
    """Draw a line through points, in shares of the canvas, with a pause after each step."""
    box = page.locator(DRAWING).bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for start, end in pairwise(places):
        for step in range(1, steps + 1):
            page.mouse.move(*(a + (b - a) * step / steps for a, b in zip(start, end, strict=True)))
            if pause_ms:
                page.wait_for_timeout(pause_ms)
    page.mouse.up()


def fits(page):
    """Return whether nothing of the page is to the right of its edge."""
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def save(page, label):
    """Press the button of that name, and return the path of the file that is downloaded."""
    with page.expect_download() as download:
        page.click(f"[aria-label='{label}']")
    return download.value.path()
