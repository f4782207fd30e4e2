"""One browser and one service for all tests of the page; each opens pages of its own, and fails on any error there."""

import shutil
from contextlib import ExitStack

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from tests.browser.looks import wait_for_answers
from tests.support.app import CHECKOUT, make_service, running

INSTALL = "Chromium isn't installed: run `apt-get install chromium`"

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

TIMEOUT_MS = 60_000

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


# Not of the session: while Playwright lives, no other test can start an event loop in this thread.
@pytest.fixture(scope="package")
def browser():
    """Debian's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip(INSTALL)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def service():
    """A client of a service that has NumPy compute with the committed checkpoints."""
    with running(make_service(CHECKOUT / "checkpoints")) as client:
        yield client


@pytest.fixture
def allowed():
    """Texts of errors that a test provokes: the browser itself writes a failed request to its console."""
    return []


@pytest.fixture
def serve():
    """Return a function that serves an application of the test's own, for as long as its pages are open."""
    with ExitStack() as services:
        yield lambda app, **options: services.enter_context(running(app, **options))


# `serve` is asked for so that it ends later: a page that finds its service gone writes that to its console.
@pytest.fixture
def visit(browser, service, serve, allowed):
    """Return a function that opens the page, at what follows the `#`, or a path; options are the browser context's."""
    contexts = []
    errors = []

    def visit(place="", *, path=None, base_url=None, width=1440, height=900, **options):
        context = browser.new_context(
            base_url=str(base_url or service.base_url),
            viewport={"width": width, "height": height},
            permissions=["clipboard-read", "clipboard-write"],
            **options,
        )
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path or (f"/#{place}" if place else "/"))
        return page

    yield visit
    for context in contexts:
        context.close()
    assert [error for error in errors if not any(text in error for text in allowed)] == []


@pytest.fixture
def page(visit, request):
    """The page at the `ADDRESS` of the test's file, answered."""
    page = visit(request.module.ADDRESS)
    wait_for_answers(page)
    return page


@pytest.fixture
def assert_accessible():
    """Return a function that has axe check a page against WCAG 2.2 AA."""
    axe = Axe()

    def check(page, only=WCAG):
        results = axe.run(page, options={"runOnly": only})
        assert results.violations_count == 0, results.generate_report()

    return check
