"""What tests read off a page, and wait for there."""

NOTHING = "\N{EN DASH}"
"""What stands in the place of a figure that there isn't."""

MINUS = "\N{MINUS SIGN}"

DRAWING = "#panel-reconstruct .drawing"
"""Where one draws in the tab Reconstruct."""


def read_image(page, selector):
    """Return the gray values of a canvas, a row after the other."""
    return page.eval_on_selector(
        selector,
        "canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)"
        ".filter((_, index) => index % 4 === 0)",
    )


def wait_for_answers(page):
    """Wait until the open tab has asked, and nothing of it is on its way."""
    page.wait_for_selector("[role=tabpanel]:not([hidden])[data-busy=false]")


def fits(page):
    """Tell whether nothing of the page is to the right of its edge."""
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def save(page, label):
    """Press the button of that name, and return the path of the file that is downloaded."""
    with page.expect_download() as download:
        page.click(f"[aria-label='{label}']")
    return download.value.path()
