"""The choice of a model by name: its frameworks, examples, map and requests."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.browser.looks import DRAWING, fits, read_image, wait_for_answers
from tests.support.app import MODEL, make_service, save_checkpoints
from tests.support.checkpoints import make_checkpoint, make_weights
from training.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from training.checkpoints.companion_file import FORMAT
from training.checkpoints.model_files import ModelFile

COUNT = 6


@pytest.fixture
def shirts(tmp_path):
    """A further model of JAX, which was trained on other pictures, beside the default models."""
    save_checkpoints(tmp_path)
    model = ModelFile(tmp_path, "jax", "shirts")
    weights = {name: array * np.float32(0.2) for name, array in make_weights(MODEL, 9).items()}
    save_checkpoint(model.path, make_checkpoint(MODEL, weights, training={"dataset": "fashion_mnist"}))
    return model


@pytest.fixture
def open_page(visit, serve, shirts):
    """Return a function that opens the page of a service with that model, at a path."""
    return lambda path, **options: visit(
        path=path, base_url=serve(make_service(shirts.checkpoints)).base_url, **options
    )


def write_companion(model):
    """Write a companion file of pictures without labels, and a map along the first two latents; return the pictures."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (COUNT, 28, 28), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pictures.swapaxes(0, 1).reshape(28, COUNT * 28)).save(file, "PNG")
    mosaic = {"count": COUNT, "columns": COUNT, "labels": None, "png": base64.b64encode(file.getvalue()).decode()}
    points = random.standard_normal((COUNT, 2)).tolist()
    axes = np.eye(MODEL.latent_dim)[:2].tolist()
    companion = {
        "format": FORMAT,
        "framework": model.framework,
        "checkpoint": str(load_checkpoint(model.path).sha256)[:12],
        "examples": mosaic,
        "map": {"points": points, "center": [0] * MODEL.latent_dim, "axes": axes, "explained": [0.3, 0.2]},
        "kl": [1] * MODEL.latent_dim,
        "to": {},
    }
    model.companion.write_text(json.dumps(companion))
    return pictures


def test_choice_of_a_model_opens_it(open_page):
    """The picker lists all models; the page then shows the frameworks that have it, and names it in every request."""
    page = open_page("/#reconstruct?digit=3")
    wait_for_answers(page)
    urls = []
    page.on("request", lambda request: urls.append(request.url))

    options = page.locator("#model option").all_inner_texts()
    page.select_option("#model", "shirts")
    page.wait_for_url("**/?model=shirts**")
    page.wait_for_selector("#panel-reconstruct >> text=redrawn by one framework")
    wait_for_answers(page)

    assert options == ["model", "shirts"]
    computed = [url for url in urls if "/reconstruct?" in url]
    assert computed
    assert all("model=shirts" in url and "framework=jax" in url for url in computed)
    assert "no such model" in page.inner_text("#frameworks .pytorch")


def test_model_without_companion_has_samples_and_no_map(open_page):
    """Samples from the prior are the examples, and the page says why."""
    page = open_page("/?model=shirts#reconstruct")
    page.wait_for_selector("#panel-reconstruct .digits button >> nth=0")

    assert "samples from the prior" in page.inner_text("#panel-reconstruct .test-set")
    assert "There is no map for this model" in page.inner_text("#panel-reconstruct .live-map")
    assert page.is_hidden("#centered")


def test_model_with_companion_has_its_examples_and_map(open_page, shirts):
    """Examples, with or without labels, and the map are from the model's companion file."""
    pictures = write_companion(shirts)
    page = open_page("/?model=shirts#reconstruct?digit=2")
    page.wait_for_selector("#panel-reconstruct .digits button >> nth=5")
    page.wait_for_selector(".live-map[data-placed='1']")
    wait_for_answers(page)

    np.testing.assert_array_equal(np.reshape(read_image(page, DRAWING), (28, 28)), pictures[2])
    assert page.get_attribute("#panel-reconstruct .digits button >> nth=2", "aria-label") == "Test image 2"
    assert page.is_visible(".live-map canvas.plane")


def test_points_without_classes_are_large_enough_to_be_seen(open_page):
    """On the maps, an image without a label is a dot of several pixels."""
    page = open_page("/#code")

    painted = page.evaluate(
        """async () => {
            const { drawLabels } = await import("/web/latent/scatter.js");
            const context = new OffscreenCanvas(20, 20).getContext("2d");
            const plane = { context, canvas: document.body, color: () => "#00f", toScreen: (x, y) => [x, y] };
            drawLabels(plane, [[10, 10]], null);
            return context.getImageData(0, 0, 20, 20).data.filter((value, at) => at % 4 === 3 && value > 200).length;
        }"""
    )

    assert painted >= 12


@pytest.mark.parametrize("tab", ["reconstruct", "latent", "sample", "interpolate"])
def test_words_follow_the_model(open_page, tab):
    """Nothing on the page calls the images of a model digits that was trained on others."""
    page = open_page(f"/?model=shirts#{tab}")
    page.wait_for_selector(f"#panel-{tab} [data-framework=jax] canvas")

    assert "image" in page.inner_text(f"#panel-{tab}").lower()
    assert "digit" not in page.evaluate("document.body.textContent").lower()


@pytest.mark.parametrize("width", [320, 390])
def test_choice_of_a_model_fits_a_phone(open_page, width):
    """The picker has room beside the links of the page's top."""
    page = open_page("/#reconstruct", width=width, height=844)
    page.wait_for_selector("#model")

    assert fits(page)
    assert page.is_visible("#model")
