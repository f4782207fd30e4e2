"""The slider "Watch it learn": snapshots of the training run, in all frameworks at once."""

import shutil

import pytest

from tests.browser.looks import read_image, wait_for_answers
from tests.support.app import CHECKOUT, make_service, save_snapshots
from training.checkpoints.model_files import ModelFile
from training.frameworks import FRAMEWORKS

SLIDER = "#panel-reconstruct #epoch"
SHOWN = "#panel-reconstruct .time-slider output"
RECORD = """selector => {
    const node = document.querySelector(selector);
    window.seen = [];
    new MutationObserver(() => window.seen.push(node.textContent)).observe(node, { childList: true });
}"""
IS_TRAINED = "selector => document.querySelector(selector)?.textContent === 'trained'"


@pytest.fixture
def open_page(visit, serve, tmp_path):
    """Return a function that opens the page of the committed checkpoints, with snapshots of epochs 0 and 5."""

    def open_page(place):
        for framework in FRAMEWORKS:
            model = ModelFile(tmp_path, framework)
            model.folder.mkdir()
            shutil.copy(ModelFile(CHECKOUT / "checkpoints", framework).path, model.path)
            save_snapshots(model)
        page = visit(place, base_url=serve(make_service(tmp_path)).base_url)
        wait_for_answers(page)
        return page

    return open_page


def read_pictures(page):
    """Return each framework's picture."""
    return [read_image(page, f"#panel-reconstruct [data-framework={name}] canvas") for name in FRAMEWORKS]


@pytest.mark.parametrize("weights", ["", "&weights=own"])
def test_slider_goes_back_in_time(open_page, assert_accessible, weights):
    """With the keyboard, each step back shows the pictures of that epoch, and the address names it."""
    page = open_page(f"reconstruct?digit=3{weights}")
    trained, labels = read_pictures(page), [page.inner_text(SHOWN)]

    for _ in range(2):
        page.focus(SLIDER)
        page.keyboard.press("ArrowLeft")
        wait_for_answers(page)
        labels.append(page.inner_text(SHOWN))
    first = read_pictures(page)

    assert labels == ["trained", "epoch 5", "untrained"]
    assert page.get_attribute(SLIDER, "aria-valuetext") == "untrained"
    assert page.url.endswith("epoch=0")
    assert all(before != after for before, after in zip(first, trained, strict=True))
    assert (first[0] == first[1]) == (weights == "")
    assert_accessible(page)


def test_link_names_an_epoch_and_unknown_ones_are_ignored(open_page):
    """A link opens the page at its epoch; an epoch without a snapshot is the finished model."""
    page = open_page("reconstruct?digit=3&epoch=5")
    linked = page.inner_text(SHOWN)

    page.evaluate("location.hash = 'reconstruct?digit=3&epoch=4'")
    page.wait_for_function(IS_TRAINED, arg=SHOWN)

    assert linked == "epoch 5"


def test_play_runs_to_the_finished_model(open_page):
    """The button goes through the epochs once, and stops at the end."""
    page = open_page("reconstruct?digit=3")
    page.evaluate(RECORD, SHOWN)

    page.click("[aria-label='Play the training']")
    page.wait_for_function(IS_TRAINED, arg=SHOWN)
    page.wait_for_selector("[aria-label='Play the training']:text-is('Play')")

    assert {"untrained", "epoch 5", "trained"} <= set(page.evaluate("window.seen"))


def test_play_waits_for_the_pictures(open_page):
    """An epoch whose pictures take long stays until they are there: the service may have to load the snapshot first."""
    page = open_page("reconstruct?digit=3")
    routes = []

    def hold(route):
        routes.append(route)

    page.route(lambda url: "/reconstruct?" in url and "epoch=0" in url, hold)

    with page.expect_request(lambda request: "/reconstruct?" in request.url and "epoch=0" in request.url):
        page.click("[aria-label='Play the training']")
    page.wait_for_timeout(1500)
    waiting = page.inner_text(SHOWN)
    for route in routes:
        route.continue_()
    page.wait_for_selector(f"{SHOWN}:text-is('epoch 5')")

    assert routes
    assert waiting == "untrained"


def test_model_without_snapshots_has_no_slider(visit, serve, checkpoints):
    """The page offers no slider without snapshots."""
    page = visit("reconstruct", base_url=serve(make_service(checkpoints)).base_url)
    wait_for_answers(page)

    assert page.is_hidden(SLIDER)
