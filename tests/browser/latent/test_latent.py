"""The tab Latent space: sliders, pad and map, and what the three decode at one place."""

import json

import numpy as np
import pytest

from app.inference.adapters.numpy_adapter import load_numpy
from tests.browser.latent.latent_panel import PANEL, pictures, read_z
from tests.browser.looks import wait_for_answers
from tests.support.app import CHECKOUT, make_service, post_npy, read_npy
from training.errors import CheckpointError

ADDRESS = "latent?digit=0"

EDGE = 4.25
"""The latent at the edge of the pad."""


def drag(page, selector, start, end):
    """Drag from one place to another, in shares of an element."""
    box = page.locator(selector).bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=6)
    page.mouse.up()


def choose_space(page, framework):
    """Choose another framework's latent space, and wait for its sliders, whose dimensions have another order."""
    order = f"[...document.querySelectorAll('{PANEL} .slider label')].map(label => label.textContent).join()"
    before = page.evaluate(order)
    page.select_option("#space", framework)
    page.wait_for_function(f"before => {order} !== before", arg=before)


def test_sliders_are_ordered_by_kl_and_marked(page):
    """The most informative dimension is the first, and each track has the encoder's mean between -2 and +2 sigma."""
    kl = [float(text.split()[0]) for text in page.locator(f"{PANEL} .slider .kl").all_inner_texts()]
    marks = page.eval_on_selector_all(
        f"{PANEL} .track", "tracks => tracks.map(track => ['low', 'mean', 'high'].map(name => "
        "Number(track.style.getPropertyValue(`--${name}`))))"
    )  # fmt: skip

    assert len(kl) == 20
    assert kl == sorted(kl, reverse=True)
    assert all(low < mean < high for low, mean, high in marks)


def test_decoders_follow_a_slider(page):
    """The arrow keys move a slider, and with it all three pictures; the chosen framework decodes just these numbers."""
    before = pictures(page)

    page.focus(f"{PANEL} .slider input")
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    wait_for_answers(page)
    after = pictures(page)

    assert all(old != new for old, new in zip(before, after, strict=True))


def test_link_replays_the_place(page, visit, service):
    """A link has the latent in it, which the chosen framework decodes to the picture that is shown."""
    page.click("text=Set all to zero")
    page.focus(f"{PANEL} .slider input")
    page.keyboard.press("End")
    wait_for_answers(page)
    # The address follows a change after a moment: the first to be written may be the zeros before the key.
    page.wait_for_function("() => decodeURIComponent(location.hash).includes(',4,')")

    other = visit(page.url.split("#")[1])
    wait_for_answers(other)

    z = np.zeros((1, 20), np.float32)
    z[0, next(iter(read_z(page)))] = 4
    probs = read_npy(post_npy(service, "/decode?framework=jax", z, Accept="application/x-npy"))
    assert read_z(other) == read_z(page)
    assert np.abs(np.round(probs.ravel() * 255) - pictures(other)[0]).max() <= 1


def test_translation_keeps_the_picture(page):
    """Translated, another framework decodes nearly the same picture; the same numbers are another one there."""
    jax, *others = np.array(pictures(page), float) / 255
    page.select_option("#others", "same")
    wait_for_answers(page)
    same, *untranslated = np.array(pictures(page), float) / 255

    assert (jax == same).all()
    for translated, numbers in zip(others, untranslated, strict=True):
        assert np.abs(translated - jax).mean() < np.abs(numbers - jax).mean() / 2


def test_reset_returns_to_the_mean(page):
    """After wandering off, one button leads back to where the encoder put the digit."""
    mean = read_z(page)

    page.click("text=Randomize")
    random = read_z(page)
    page.click("text=Back to this digit")

    assert random != mean
    assert read_z(page) == pytest.approx(mean, abs=0.051)


def test_pad_moves_its_two_dimensions(page):
    """Dragging in the pad moves the two chosen dimensions alone; so do the arrow keys."""
    before = read_z(page)
    across, up = list(before)[4:6]
    page.select_option("#pad-across", str(across))
    page.select_option("#pad-up", str(up))

    drag(page, f"{PANEL} .pad canvas", (0.5, 0.5), (0.75, 0.125))
    dragged = read_z(page)
    page.keyboard.press("Shift+ArrowLeft")
    stepped = read_z(page)

    assert dragged == pytest.approx({**before, across: 0.5 * EDGE, up: 0.75 * EDGE}, abs=0.06)
    assert stepped == pytest.approx({**dragged, across: 0.4 * EDGE}, abs=0.06)


def test_digit_on_the_map_is_shown_and_decoded(page):
    """Hovering over a digit of the map shows it, and a click leads to its mean."""
    box = page.locator(f"{PANEL} .map canvas.plane").bounding_box()
    x, y = box["x"] + 0.12 * box["width"], box["y"] + 0.62 * box["height"]
    for step in range(12):
        page.mouse.move(x + 8 * step, y)
        if page.is_visible(f"{PANEL} .hovered"):
            break
    caption = page.inner_text(f"{PANEL} .hovered")
    page.mouse.down()
    page.mouse.up()
    index = caption.split("digit ")[1].split(",")[0]
    page.wait_for_selector(f"{PANEL} [data-index='{index}'][aria-pressed=true]")
    wait_for_answers(page)

    labels = json.loads((CHECKOUT / "checkpoints/jax/model.companion.json").read_text())["examples"]["labels"]
    assert caption.endswith(f"a {labels[int(index)]}")
    page.wait_for_function(f"() => location.hash.includes('digit={index}')")


def test_drag_on_the_map_moves_the_place(page):
    """Between the digits the pointer moves the place along the two components."""
    before = pictures(page)

    drag(page, f"{PANEL} .map canvas.plane", (0.03, 0.03), (0.1, 0.97))
    wait_for_answers(page)

    assert all(old != new for old, new in zip(before, pictures(page), strict=True))


def test_focus_is_seen_beside_the_pictures_on_a_phone(visit):
    """Pictures that stay in sight never cover the focused element."""
    page = visit("latent?digit=0", width=320, height=700)
    wait_for_answers(page)
    page.focus(f"{PANEL} .pad canvas")

    hidden = []
    for _ in range(24):
        page.keyboard.press("Shift+Tab")
        hidden += page.evaluate(f"""() => {{
            const own = document.activeElement.getBoundingClientRect();
            const [x, y] = [own.left + own.width / 2, own.top + own.height / 2];
            const isCovered = document.elementFromPoint(x, y)?.closest('{PANEL} .answers');
            return isCovered && !document.activeElement.closest('.answers') ? [document.activeElement.id] : [];
        }}""")

    assert hidden == []


def test_space_of_another_framework_has_its_own_means(page):
    """Another framework's encoder puts the same digit elsewhere, and its dimensions have another order."""
    before = read_z(page)

    choose_space(page, "pytorch")

    assert list(read_z(page)) != list(before)
    assert page.get_attribute(PANEL, "data-space") == "pytorch"


def test_answer_for_a_space_that_was_left_is_left_aside(page):
    """An encoder that answers only after another one's space was chosen doesn't move the place there."""
    routes = []

    def hold(route):
        routes.append(route)

    page.route("**/encode?framework=jax*", hold)
    with page.expect_request("**/encode?framework=jax*"):
        page.click(f"{PANEL} [data-index='2']")
    choose_space(page, "pytorch")
    before = read_z(page)
    routes[0].continue_()
    wait_for_answers(page)

    assert read_z(page) == before


def test_space_that_fails_leaves_nothing_of_the_one_before(page, allowed):
    """No slider, pad, map or picture of the other's space is left if the chosen framework can't encode."""
    allowed.append("422")
    failure = {"status": 422, "json": {"detail": "the image is odd"}}
    page.route("**/encode?framework=pytorch*", lambda route: route.fulfill(**failure))

    page.select_option("#space", "pytorch")
    page.wait_for_selector(f"{PANEL} .controls .notice:has-text('The image is odd.')")

    assert page.locator(f"{PANEL} .slider").count() == 0
    assert page.is_hidden(f"{PANEL} .pad")
    assert page.is_hidden(f"{PANEL} .map")
    assert not any(map(any, pictures(page)))
    page.select_option("#space", "jax")
    page.wait_for_selector(f"{PANEL} .slider >> nth=20")
    wait_for_answers(page)
    assert page.is_visible(f"{PANEL} .pad")
    assert all(map(any, pictures(page)))


def test_space_of_a_framework_that_is_down_is_left_to_choose(visit, serve):
    """Without the default framework the tab opens in another's space; a link to a broken one says to choose another."""

    def load(name, **options):
        if name == "jax":
            raise CheckpointError("the checkpoint is broken")
        return load_numpy(name, **options)

    client = serve(make_service(CHECKOUT / "checkpoints", load=load))
    page = visit("latent", base_url=client.base_url)
    wait_for_answers(page)
    other = visit("latent?space=jax", base_url=client.base_url)

    assert page.input_value("#space") == "tensorflow"
    assert len(read_z(page)) == 20
    assert "Choose another" in other.wait_for_selector(f"{PANEL} .controls .notice:not([hidden])").inner_text()
    other.select_option("#space", "pytorch")
    wait_for_answers(other)
    assert len(read_z(other)) == 20
    other.click(f"{PANEL} [data-framework=jax] .notice summary")
    assert "checkpoint is broken" in other.inner_text(f"{PANEL} [data-framework=jax] .notice")
