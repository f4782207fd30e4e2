"""The tab Reconstruct on a slow network: one request of each framework at a time, and pictures that keep coming."""

from tests.browser.looks import draw, figures, wait_for_answers
from training.frameworks import FRAMEWORKS

ADDRESS = "reconstruct?weights=own"


def test_slow_network_keeps_to_the_latest(page):
    """While a framework's answer is on its way it has no second request; when it is there, the last move is sent."""
    asked, held, holding = [], [], True

    def hold(route):
        asked.append(framework_of(route.request))
        if holding:
            held.append(route)
        else:
            route.continue_()

    page.route("**/reconstruct*", hold)
    page.click("button:text-is('Clear')")
    draw(page, (0.3, 0.2), (0.7, 0.4), (0.3, 0.8), steps=100)
    while len(held) < len(FRAMEWORKS):
        page.wait_for_timeout(10)
    page.wait_for_timeout(200)
    during = sorted(asked)
    holding = False
    for route in held:
        route.continue_()
    wait_for_answers(page)
    slow, after = figures(page), sorted(asked)
    page.unroute("**/reconstruct*")
    page.click("text=New seed")
    page.fill("#panel-reconstruct .seed", "7")
    wait_for_answers(page)

    assert during == sorted(FRAMEWORKS)
    assert after == sorted([*FRAMEWORKS, *FRAMEWORKS])
    assert figures(page) == slow


def framework_of(request):
    """Return the framework that a request of the page asks."""
    return request.url.split("framework=")[1].split("&")[0]


def test_pictures_follow_on_a_slow_network(page):
    """While one draws at half a second of latency, pictures keep coming: figures and the map don't delay them."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 500, "downloadThroughput": -1, "uploadThroughput": -1},
    )
    page.click("button:text-is('Clear')")
    draw(page, (0.3, 0.2), (0.7, 0.3), (0.4, 0.5), (0.7, 0.7), (0.3, 0.8), steps=15, pause_ms=50)

    count = page.evaluate("performance.getEntriesByName('gesture-to-picture').length")

    assert count >= 2 * len(FRAMEWORKS)
