"""The service below a path prefix of nginx, HAProxy and Caddy: links, documentation and page."""

import httpx
from playwright.sync_api import expect, sync_playwright

from tests.support.deployment.tool_environments import find_program


def test_address_without_the_last_slash_leads_to_the_page(url):
    """The prefix alone is redirected to the page, on the same host and port."""
    response = httpx.get(url, follow_redirects=True)

    assert response.status_code == 200
    assert str(response.url) == f"{url}/"
    assert response.headers["Content-Type"].startswith("text/html")


def test_document_names_the_prefix(url):
    """The OpenAPI document's server is below the prefix, so that generated clients find the routes."""
    document = httpx.get(f"{url}/openapi.json").json()

    server = httpx.URL(f"{url}/").join(document["servers"][0]["url"])
    assert httpx.get(f"{str(server).rstrip('/')}/frameworks").status_code == 200


def test_page_and_documentation_work_in_a_browser(url):
    """Page, /docs and all their files load below the prefix in Chromium, and an example of /docs is 200."""
    chromium = find_program("chromium")
    failures = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        expect.set_options(timeout=30_000)
        page.set_default_timeout(30_000)
        page.on(
            "response",
            lambda response: failures.append(f"{response.status} {response.url}") if response.status >= 400 else None,
        )
        page.on(
            "requestfailed",
            lambda request: failures.append(request.url) if request.failure != "net::ERR_ABORTED" else None,
        )
        page.on("request", lambda request: failures.append(request.url) if not _is_below(request.url, url) else None)

        page.goto(f"{url}/#sample")
        expect(page.locator("#panel-sample[data-busy=false] [data-framework=pytorch] canvas").first).to_be_visible()
        page.goto(f"{url}/docs")
        operation = page.locator("#operations-models-decode")
        operation.locator(".opblock-summary-control").click()
        operation.get_by_role("button", name="Try it out").click()
        operation.get_by_role("button", name="Execute").click()
        status = operation.locator(".live-responses-table tr.response .response-col_status").first
        expect(status).to_contain_text("200")
        browser.close()

    assert failures == []


def _is_below(address: str, url: str) -> bool:
    return address.startswith((f"{url}/", "data:", "blob:"))
