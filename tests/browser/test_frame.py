"""The page's frame: tabs, address, theme, frameworks that come and go, and the key. Each tab has its own file."""

import io
import threading

import numpy as np
import pytest
from PIL import Image

from app.inference.adapters.numpy_adapter import load_numpy
from tests.browser.conftest import WCAG
from tests.browser.looks import NOTHING, fits
from tests.support.app import CHECKOUT, make_service

KEY = "s3cret"
ANSWERED = (
    f"name => (document.querySelector(`[data-framework=${{name}}] dd`)?.textContent ?? '{NOTHING}') !== '{NOTHING}'"
)

WIDTHS = [320, 768, 1440]


def tab_names(page):
    """Return the names of all tabs, once there are some."""
    page.wait_for_selector("[role=tab]")
    return [tab.get_attribute("id").removeprefix("tab-") for tab in page.query_selector_all("[role=tab]")]


def test_tabs_are_used_with_the_keyboard_alone(visit):
    """Arrows, Home and End move along the tabs and open them, and one press of Tab leads into the panel."""
    page = visit()
    names = tab_names(page)

    page.focus("[role=tab][aria-selected=true]")
    page.keyboard.press("ArrowLeft")
    last = page.evaluate("document.activeElement.id")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    second = page.evaluate("document.activeElement.id")
    page.keyboard.press("Tab")

    assert (last, second) == (f"tab-{names[-1]}", f"tab-{names[1]}")
    assert page.evaluate("document.activeElement.closest('[role=tabpanel]').id") == f"panel-{names[1]}"
    assert page.is_hidden(f"#panel-{names[0]}")


def test_back_leads_to_the_tab_before(visit):
    """A tab is a place in the browser's history."""
    page = visit("reconstruct")

    page.click("#tab-latent")
    page.wait_for_selector("#panel-latent:not([hidden])")
    page.go_back()

    page.wait_for_selector("#panel-reconstruct:not([hidden])")
    assert page.url.split("#")[1].startswith("reconstruct")


def test_every_tab_is_accessible_fits_and_is_quiet(visit, assert_accessible):
    """Axe finds nothing in any tab, light or dark, and none is wider than the window, however narrow that is."""
    # The document is the same in the dark; its colors aren't.
    for scheme, only in (("light", WCAG), ("dark", ["color-contrast"])):
        page = visit(color_scheme=scheme)
        for name in tab_names(page):
            page.click(f"#tab-{name}")
            page.wait_for_load_state("networkidle")
            assert_accessible(page, only)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                assert fits(page), f"{name} at {width} px"
            page.set_viewport_size({"width": 1440, "height": 900})


def test_label_stays_beside_its_field_on_a_phone(visit):
    """However narrow the window is, a label is on one line with what it names."""
    page = visit(width=320)
    for name in tab_names(page):
        page.click(f"#tab-{name}")
        apart = page.eval_on_selector_all(
            f"#panel-{name} .field label",
            "labels => labels.filter(label => { const [own, other] = [label, label.control].map(node =>"
            " node.getBoundingClientRect()); return own.top > other.bottom || own.bottom < other.top; })"
            ".map(label => label.textContent)",
        )
        assert apart == [], name


def test_theme_is_the_visitors_choice_and_kept(visit):
    """The button switches from the system's scheme, and the choice is kept."""
    page = visit(color_scheme="dark")

    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()

    assert before != after
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == after


def test_framework_that_is_down_says_why_and_comes_back_by_itself(visit, serve):
    """A framework that isn't ready is shown with its reason beside those that are, and is used once it is ready."""
    gate = threading.Event()

    def load(name, **options):
        if name == "pytorch":
            gate.wait(20)
        return load_numpy(name, **options)

    try:
        client = serve(make_service(CHECKOUT / "checkpoints", load=load), waits=False)
        page = visit(base_url=client.base_url)
        page.wait_for_selector("#panel-reconstruct [data-framework=jax][data-state=ready]")
        down = page.wait_for_selector("#panel-reconstruct [data-framework=pytorch][data-state=down]")
        reason = down.query_selector(".notice").inner_text()
        gate.set()
        page.wait_for_selector("#panel-reconstruct [data-framework=pytorch][data-state=ready]")
        page.wait_for_function(ANSWERED, arg="pytorch")

        assert "PyTorch is loading" in reason
        assert not down.query_selector(".notice").is_visible()
    finally:
        gate.set()


@pytest.mark.parametrize("marker", ["o", "s", "^", "D"])
def test_marker_of_a_framework_that_is_not_ready_is_a_whole_outline(visit, marker):
    """A hollow marker has color at each of its edges, whatever its shape, and none inside."""
    page = visit("code")
    page.wait_for_selector("#frameworks .chip .dot")
    page.evaluate(
        """marker => {
            document.body.innerHTML = '<span class="chip jax" data-state="loading"><span class="dot"></span></span>';
            const dot = document.querySelector(".dot");
            dot.dataset.marker = marker;
            [dot.style.width, dot.style.height] = ["40px", "40px"];
        }""",
        marker,
    )
    shot = Image.open(io.BytesIO(page.locator(".dot").screenshot())).convert("RGB")
    colored = np.asarray(shot, int).min(axis=2) < 200
    row = colored[22]

    assert not row[19:21].any(), "the marker is filled"
    assert row[:19].any(), "there is no left edge"
    assert row[21:].any(), "there is no right edge"
    assert colored[:10].any(), "there is no top"


def test_lost_server_is_reported_and_found_again(visit, allowed):
    """While the server can't be reached, the page says so; it goes on when the server is back."""
    allowed += ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED"]
    page = visit()
    page.wait_for_selector(".chip[data-state=ready]")

    page.context.set_offline(True)
    page.click("#panel-reconstruct .digits button:nth-child(3)")
    page.wait_for_selector("#notices .notice:not([hidden])")
    notice = page.inner_text("#notices .notice")
    page.context.set_offline(False)
    page.wait_for_selector(".chip[data-state=ready]")

    assert "Can't reach" in notice
    page.wait_for_selector("#notices .notice", state="hidden")


def test_slow_server_is_not_called_out_of_reach(visit):
    """A request that takes longer than its caller waits fails as too slow, not as a lost connection."""
    page = visit("code")
    page.route("**/slow*", lambda _: None)

    name = page.evaluate(
        """async () => {
            const { request } = await import("/web/api/client.js");
            return request({ path: "/slow" }, { signal: AbortSignal.timeout(50) }).catch((error) => error.name);
        }"""
    )

    assert name == "TimeoutError"


def test_key_is_asked_for_and_kept_until_the_tab_is_closed(visit, serve, checkpoints, allowed):
    """If the service needs a key, the page has a field for it; a wrong key is rejected in a sentence."""
    allowed.append("401")
    client = serve(make_service(checkpoints, frameworks="jax", api_keys=KEY))
    page = visit(base_url=client.base_url)
    page.wait_for_selector("#api-key")
    page.fill("#api-key", "wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=rejected that API key")
    page.fill("#api-key", KEY)
    page.keyboard.press("Enter")
    page.wait_for_selector(".chip.jax[data-state=ready]")
    page.reload()
    page.wait_for_selector(".chip.jax[data-state=ready]")

    assert page.is_hidden("#api-key")


@pytest.mark.parametrize(
    "place", ["no-such-tab", "reconstruct?digit=9999", "reconstruct?pixels=AA", "reconstruct?seed=x"]
)
def test_invalid_link_still_opens_the_page(visit, place):
    """Invalid values of a link are ignored."""
    page = visit(place)

    page.wait_for_function(ANSWERED, arg="jax")

    assert page.is_visible("#panel-reconstruct")


SENTENCES = {
    "jax failed to load: jax/model.safetensors is empty": "JAX failed to load: jax/model.safetensors is empty.",
    "tensorflow/cats failed to load": "tensorflow/cats failed to load.",
    "pytorch with jax's weights is loading.": "PyTorch with JAX's weights is loading.",
    "model.safetensors is empty": "model.safetensors is empty.",
    "scale must be 1 or more": "Scale must be 1 or more.",
    "JAX is not installed: pip install 'triptych[jax]'": "JAX is not installed: pip install 'triptych[jax]'.",
    "start with --frameworks jax": "Start with --frameworks jax.",
}


def test_sentences_keep_the_case_of_names(visit):
    """A framework is called by its title; paths, packages and options stay as they are."""
    page = visit("code")

    sentences = page.evaluate(
        """async texts => {
            const { nameAs, sentence } = await import("/web/api/client.js");
            for (const title of ["JAX", "TensorFlow", "PyTorch"]) nameAs(title.toLowerCase(), title);
            return texts.map(sentence);
        }""",
        list(SENTENCES),
    )

    assert sentences == list(SENTENCES.values())
