"""Measure how soon the page is painted and usable on slow networks, with Chromium's own emulation of them.

python docs/scripts/page_load.py [--source]

Prints a table. Painted: first contentful paint. Usable: every framework shows the ELBO of the image on the canvas.
Reload: both again, with the browser's cache. `--source` loads the separate modules instead of the bundle.
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, CDPSession, sync_playwright

from tests.browser.conftest import ARGUMENTS
from tests.support.live_service import serving, wait_until_settled

NETWORKS: Final = {
    "no limit": None,
    "150 ms, 1.6 Mbit/s": (150, 1_600),
    "400 ms, 400 kbit/s": (400, 400),
    "1 s, 400 kbit/s": (1_000, 400),
}
"""Latency of each request in ms, and kbit/s in each direction."""

USABLE: Final = """
new Promise(resolve => {
    const look = () => {
        const values = [...document.querySelectorAll("#panel-reconstruct [data-framework] dd.main")];
        if (values.length > 0 && values.every(value => /\\d/.test(value.textContent))) resolve(performance.now());
        else requestAnimationFrame(look);
    };
    look();
})
"""
PAINTED: Final = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def main() -> None:
    """Measure each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", action="store_true", help="load the separate modules")
    address = "/?source" if parser.parse_args().source else "/"
    print("| network | painted, s | usable, s | reload: painted, s | usable, s | requests | kB |")
    print("|---|---|---|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(log=Path(folder) / "log") as client,
        sync_playwright() as playwright,
    ):
        wait_until_settled(client)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for name, limits in NETWORKS.items():
            print(f"| {name} | {' | '.join(_measure(browser, f'{client.base_url}{address}', limits))} |", flush=True)


def _measure(browser: Browser, url: str, limits: tuple[int, int] | None) -> list[str]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(120_000)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    if limits is not None:
        _limit(session, *limits)
    received: list[int] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(url, wait_until="commit")
    first: list[Any] = [page.evaluate(USABLE), page.evaluate(PAINTED)]
    count, size = len(received), sum(received)
    page.wait_for_load_state("networkidle")
    page.reload(wait_until="commit")
    again: list[Any] = [page.evaluate(USABLE), page.evaluate(PAINTED)]
    context.close()
    seconds = [f"{value / 1e3:.1f}" for value in (first[1], first[0], again[1], again[0])]
    return [*seconds, str(count), f"{size / 1e3:.0f}"]


def _limit(session: CDPSession, latency_ms: int, kbit_s: int) -> None:
    rate = kbit_s * 1_000 / 8
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": latency_ms, "downloadThroughput": rate, "uploadThroughput": rate},
    )


if __name__ == "__main__":
    main()
