"""Take the screenshots of the README and the guide: every tab of the page, of a real service, into docs/images/.

python docs/scripts/screenshots.py [--every-width FOLDER]

`--every-width FOLDER` takes each tab at several sizes, light, dark and in forced colors, for review only.
"""

import argparse
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS
from tests.browser.looks import wait_for_answers
from tests.support.live_service import serving, wait_until_settled

FOLDER: Final = Path(__file__).parents[1] / "images"
WIDTHS: Final = (1440, 768, 320)
HEIGHT: Final = 900
SCHEMES: Final = ("light", "dark")
COLORS: Final = 256

# Other tabs are shown as they open.
PLACES: Final = {
    "reconstruct": "reconstruct?digit=18&seed=7",
    "latent": "latent?digit=18",
    "sample": "sample?seed=7",
    "interpolate": "interpolate?at=5",
}


def main() -> None:
    """Take the screenshots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every-width", type=Path, metavar="FOLDER")
    folder = parser.parse_args().every_width
    with _service() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        if folder is None:
            for name, page in _tabs(browser, url, width=WIDTHS[0], scheme="light"):
                _save(page.screenshot(), FOLDER / f"page-{name}.png")
            return
        folder.mkdir(parents=True, exist_ok=True)
        for width in WIDTHS:
            for scheme in SCHEMES:
                for name, page in _tabs(browser, url, width=width, scheme=scheme):
                    page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)


@contextmanager
def _service() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, serving(log=Path(folder) / "log") as client:
        wait_until_settled(client)
        yield str(client.base_url)


def _tabs(browser: Browser, url: str, *, width: int, scheme: str) -> Iterator[tuple[str, Page]]:
    """Open each tab in turn, and wait until its results are shown."""
    context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(".chip[data-state=ready]")
    names = [tab.get_attribute("id").removeprefix("tab-") for tab in page.query_selector_all("[role=tab]")]
    for name in names:
        page.goto("about:blank")
        page.goto(f"{url}/#{PLACES.get(name, name)}")
        if name in PLACES:
            wait_for_answers(page)
        page.wait_for_load_state("networkidle")
        yield name, page
    context.close()


def _save(png: bytes, path: Path) -> None:
    """Save a screenshot with a palette, at a third of the size."""
    with Image.open(io.BytesIO(png)) as picture:
        few = picture.convert("RGB").quantize(COLORS, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
        few.save(path, optimize=True)


if __name__ == "__main__":
    main()
