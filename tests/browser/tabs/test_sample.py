"""The tab Sample: the same latents from the prior, decoded by each framework, hotter or colder."""

import numpy as np
import pytest

from app.inference.adapters.numpy_adapter import load_numpy
from app.inference.noise import draw_noise
from tests.browser.looks import read_image, wait_for_answers
from tests.support.app import make_service, post_npy, read_npy
from training.frameworks import FRAMEWORKS

PANEL = "#panel-sample"
SIDE = 28 + 1
"""An image, and the gap beside it."""


def first_image(page, framework):
    """Return the gray values of the first image of a framework's grid."""
    pixels = read_image(page, f"{PANEL} [data-framework={framework}] canvas")
    width = page.eval_on_selector(f"{PANEL} [data-framework={framework}] canvas", "canvas => canvas.width")
    return np.reshape(pixels, (-1, width))[:28, :28]


def expected(service, framework, *, seed, temperature):
    """Return what the framework decodes of the seed's first latent."""
    z = draw_noise(seed, (1, 20)) * np.float32(temperature)
    probs = read_npy(post_npy(service, f"/decode?framework={framework}", z, Accept="application/x-npy"))
    return np.round(probs.reshape(28, 28) * 255)


@pytest.mark.parametrize("temperature", [1, 0.5])
def test_link_replays_seed_count_and_temperature(visit, service, temperature):
    """A link shows what each framework decodes of the seed's latents, scaled by the temperature."""
    page = visit(f"sample?weights=own&seed=11&n=36&temperature={temperature}")
    wait_for_answers(page)

    for framework in FRAMEWORKS:
        image = first_image(page, framework)
        assert np.abs(image - expected(service, framework, seed=11, temperature=temperature)).max() <= 1
    width = page.eval_on_selector(f"{PANEL} canvas", "canvas => canvas.width")
    assert width == 6 * SIDE - 1
    assert "Largest pixel difference" in page.inner_text(PANEL)


def test_another_seed_is_drawn_and_shown(visit, service):
    """The button draws a seed, which stands in its field and in the address, and makes the pictures."""
    page = visit("sample?weights=own&seed=11")
    wait_for_answers(page)

    page.click(f"{PANEL} button:text-is('New seed')")
    page.wait_for_function("() => !location.hash.includes('seed=11&') && !location.hash.endsWith('seed=11')")
    wait_for_answers(page)

    seed = int(page.input_value(f"{PANEL} .seed"))
    assert np.abs(first_image(page, "jax") - expected(service, "jax", seed=seed, temperature=1)).max() <= 1


def test_temperature_is_set_with_the_keyboard(visit, service):
    """At the coldest every image is what the origin decodes to."""
    page = visit("sample?weights=own&seed=11")
    wait_for_answers(page)

    page.focus("#temperature")
    page.keyboard.press("Home")
    page.wait_for_function("() => location.hash.includes('temperature=0')")
    wait_for_answers(page)

    assert np.abs(first_image(page, "pytorch") - expected(service, "pytorch", seed=11, temperature=0)).max() <= 1


def test_latents_of_a_draw_are_asked_for_once(visit):
    """Another temperature decodes the latents that are there; another seed has others."""
    page = visit("sample?weights=own&seed=11&temperature=0.5")
    wait_for_answers(page)
    urls = []
    page.on("request", lambda request: urls.append(request.url) if "output=latents" in request.url else None)

    page.fill("#temperature", "1.5")
    page.wait_for_function("() => location.hash.includes('temperature=1.5')")
    wait_for_answers(page)
    before = len(urls)
    page.fill(f"{PANEL} .seed", "12")
    page.wait_for_function("() => location.hash.includes('seed=12')")
    wait_for_answers(page)

    assert before == 0
    assert len(urls) == len(FRAMEWORKS)


def test_request_that_made_the_samples_is_copied(visit):
    """The curl command asks for the seed and the number that are shown."""
    page = visit("sample?weights=own&seed=11&n=36")
    wait_for_answers(page)

    page.click(f"{PANEL} [data-framework=tensorflow] button:has-text('curl')")
    page.wait_for_selector(f"{PANEL} [data-framework=tensorflow] button:has-text('Copied')")

    assert "/sample?framework=tensorflow&n=36&seed=11" in page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize("tab", ["reconstruct", "latent", "sample", "interpolate"])
def test_framework_that_never_loaded_takes_no_room(visit, serve, checkpoints, tab):
    """The panel of a framework that couldn't be loaded has its title and the reason, and no empty picture."""

    def load(name, **options):
        if name == "tensorflow":
            raise RuntimeError("the disk is wet")
        return load_numpy(name, **options)

    page = visit(f"{tab}?weights=own", base_url=serve(make_service(checkpoints, load=load)).base_url)
    wait_for_answers(page)
    panel = f"#panel-{tab} [data-framework=tensorflow]"
    page.wait_for_selector(f"{panel} .notice:has-text('be loaded')")

    assert page.is_hidden(f"{panel} canvas")
    assert page.is_visible(f"#panel-{tab} [data-framework=jax] canvas")
    assert page.locator(panel).bounding_box()["height"] < 250


def test_others_go_on_where_one_framework_is_down(visit, serve, checkpoints):
    """A framework that can't be loaded says why in its panel; the others show their samples."""

    def load(name, **options):
        if name == "tensorflow":
            raise RuntimeError("the disk is wet")
        return load_numpy(name, **options)

    client = serve(make_service(checkpoints, load=load))
    page = visit("sample?weights=own&seed=1", base_url=client.base_url)
    wait_for_answers(page)

    page.click(f"{PANEL} [data-framework=tensorflow] .notice summary")
    notice = page.inner_text(f"{PANEL} [data-framework=tensorflow] .notice")
    assert "TensorFlow couldn't be loaded" in notice
    assert "TensorFlow failed to load: RuntimeError" in notice
    assert first_image(page, "jax").max() > 0
