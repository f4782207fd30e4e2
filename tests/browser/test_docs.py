"""The interactive documentation at `/docs`: it opens without a key, and sends the key given under Authorize."""

import pytest
from playwright.sync_api import expect

from tests.support.app import CHECKOUT, make_service

KEY = "s3cret"


@pytest.mark.parametrize("scheme", ["bearer", "header"])
def test_authorize_sends_the_key(browser, serve, scheme):
    """An example is 401 until a key is given under Authorize, then 200, by either scheme."""
    client = serve(make_service(CHECKOUT / "checkpoints", api_keys=KEY))
    page = browser.new_page()
    page.goto(f"{client.base_url}/docs")
    operation = page.locator("#operations-models-decode")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    status = operation.locator(".live-responses-table tr.response .response-col_status").first

    operation.get_by_role("button", name="Execute").click()
    expect(status).to_contain_text("401")
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".auth-container", has_text=f"{scheme} (")
    dialog.locator("input").fill(KEY)
    dialog.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").first.click()
    operation.get_by_role("button", name="Execute").click()

    expect(status).to_contain_text("200")
    page.close()


def test_open_route_lists_its_errors(visit, allowed):
    """An open route has a line for each error; the description shows the body once, and a response its own."""
    allowed.append("404")
    page = visit(path="/docs")
    operation = page.locator("#operations-models-decode")
    operation.locator(".opblock-summary-control").click()
    documented = operation.locator(".responses-table:not(.live-responses-table) > tbody > tr")
    expect(documented.first.locator(".microlight")).to_be_visible()

    errors = {row.get_attribute("data-code"): row.bounding_box()["height"] for row in documented.all()[1:]}
    height = operation.bounding_box()["height"]
    operation.get_by_role("button", name="Try it out").click()
    operation.locator("[data-param-name=model] input").fill("unknown")
    operation.get_by_role("button", name="Execute").click()

    assert {"400", "401", "422", "503"} < set(errors)
    assert max(errors.values()) < 50
    assert height < 2_500
    expect(page.locator(".info .description pre")).to_contain_text('"request_id"')
    live = operation.locator(".live-responses-table tr.response")
    expect(live.locator(".microlight").first).to_contain_text('"status": 404')
