"""The page with other frameworks and models than the bundled ones: counts, shapes, latents, foreign checkpoints."""

import json

import numpy as np
import pytest

from app.inference.adapters.numpy_adapter import load_numpy
from tests.browser.looks import DRAWING, draw, read_image, wait_for_answers
from tests.support.app import make_service, save_checkpoints
from tests.support.runs import make_dataset
from training.checkpoints.model_files import ModelFile
from training.config import ModelConfig
from training.frameworks import FRAMEWORKS
from training.reporting.companion import write_companions

COUNTS = [
    ("jax", "one framework", "Each picture is"),
    ("jax,pytorch", "two frameworks", "Both frameworks run the same weights"),
    ("jax,tensorflow,pytorch", "three frameworks", "All three frameworks run the same weights"),
]


@pytest.mark.parametrize(("frameworks", "words", "hint"), COUNTS)
def test_headings_count_the_frameworks(visit, serve, checkpoints, frameworks, words, hint):
    """Headings say how many frameworks there are, and a difference is shown from two on."""
    client = serve(make_service(checkpoints, frameworks=frameworks))
    page = visit("reconstruct", base_url=client.base_url)
    wait_for_answers(page)

    assert page.inner_text("#panel-reconstruct .answers h2") == f"Your digit, redrawn by {words}"
    assert page.inner_text("#panel-reconstruct .answers > .hint").startswith(hint)
    assert page.locator("#panel-reconstruct .framework").count() == len(frameworks.split(",")) + ("," in frameworks)


def refuse(*names):
    """Return a loader that fails for these frameworks."""

    def load(name, **options):
        if name in names:
            raise RuntimeError("the disk is wet")
        return load_numpy(name, **options)

    return load


@pytest.mark.parametrize(("down", "words"), [("tensorflow", "two frameworks"), ("jax,tensorflow", "one framework")])
def test_words_leave_out_what_is_down(visit, serve, checkpoints, down, words):
    """Headings and explanations count the frameworks that compute; one alone has no difference."""
    client = serve(make_service(checkpoints, load=refuse(*down.split(","))))
    page = visit("reconstruct", base_url=client.base_url)
    wait_for_answers(page)

    assert page.inner_text("#panel-reconstruct .answers h2") == f"Your digit, redrawn by {words}"
    assert page.is_visible("#panel-reconstruct .difference") == ("," not in down)
    for tab in ("reconstruct", "latent", "sample", "interpolate"):
        page.click(f"#tab-{tab}")
        wait_for_answers(page)
        assert "three" not in page.inner_text("body").lower(), tab


@pytest.mark.parametrize(("tab", "places"), [("compare", ".frameworks .chip"), ("code", "h3")])
def test_reports_name_frameworks_that_are_not_served(visit, serve, checkpoints, tab, places):
    """A service of one framework shows the report and the code of the others by their titles and in their colors."""
    client = serve(make_service(checkpoints, frameworks="pytorch"))
    page = visit(tab, base_url=client.base_url)
    page.wait_for_selector(f"#panel-{tab} {places} .dot >> nth=2", state="attached")

    texts = page.locator(f"#panel-{tab} {places}").all_inner_texts()
    color = "node => getComputedStyle(node).backgroundColor"
    colors = [page.eval_on_selector(f"#panel-{tab} .{name} .dot", color) for name in FRAMEWORKS]

    assert [info.title in text for info, text in zip(FRAMEWORKS.values(), texts, strict=True)] == [True] * 3
    assert colors == ["rgb(0, 114, 178)", "rgb(213, 94, 0)", "rgb(0, 158, 115)"]


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_lone_picture_leaves_room_for_canvas_and_figures(visit, serve, checkpoints, width, height):
    """With one framework, its picture is no larger than half the window, and the ELBO is in sight."""
    client = serve(make_service(checkpoints, frameworks="jax"))
    page = visit("reconstruct", base_url=client.base_url, width=width, height=height)
    wait_for_answers(page)

    picture = page.locator("#panel-reconstruct [data-framework=jax] canvas").bounding_box()
    figure = page.locator("#panel-reconstruct [data-framework=jax] dd.main").bounding_box()
    canvas = page.locator(DRAWING).bounding_box()

    assert picture["height"] < height / 2
    assert figure["y"] + figure["height"] < height
    assert canvas["y"] + canvas["height"] <= height


def test_fourth_framework_shows_up_by_itself(visit, service):
    """A framework that only `/frameworks` names gets its panel, title, color and marker."""

    def add(route):
        content = route.fetch().json()
        content["frameworks"].append(
            {**content["frameworks"][0], "framework": "mlx", "title": "MLX", "color": "#123456", "marker": "D"}
        )
        route.fulfill(json=content)

    page = visit("compare")
    page.route("**/frameworks", add)
    page.route("**/*framework=mlx*", lambda route: route.continue_(url=route.request.url.replace("mlx", "jax")))
    page.goto("about:blank")
    page.goto(f"{service.base_url}/#reconstruct?digit=3")
    page.wait_for_selector("#panel-reconstruct [data-framework=mlx] dd.main:has-text('.')")
    wait_for_answers(page)
    jax, mlx = (read_image(page, f"#panel-reconstruct [data-framework={name}] canvas") for name in ("jax", "mlx"))

    assert jax == mlx
    assert "MLX" in page.inner_text("#panel-reconstruct [data-framework=mlx] h3")
    assert "four frameworks" in page.inner_text("#panel-reconstruct .answers h2")
    color = "getComputedStyle(document.querySelector('[data-framework=mlx] .dot[data-marker=D]')).backgroundColor"
    assert page.evaluate(color) == "rgb(18, 52, 86)"


@pytest.mark.parametrize(("shape", "latents"), [((16, 24), 20), ((28, 28), 2), ((28, 28), 1)])
def test_model_of_another_shape_is_drawn_for(visit, serve, tmp_path, shape, latents):
    """Drawing, sliders, samples and morphs work for any image size and number of latents."""
    save_checkpoints(tmp_path, ModelConfig(image_shape=shape, hidden_dim=16, latent_dim=latents))
    client = serve(make_service(tmp_path))
    page = visit("reconstruct", base_url=client.base_url)
    page.wait_for_selector(".chip[data-state=ready]")
    page.wait_for_selector(DRAWING)
    draw(page, (0.3, 0.2), (0.7, 0.8))
    page.wait_for_selector("#panel-reconstruct dd.main:has-text('.')")
    wait_for_answers(page)
    drawn = np.reshape(read_image(page, DRAWING), shape)

    page.click("text=/Open this (digit|image) in latent space/")
    page.wait_for_selector("#panel-latent .slider input")
    wait_for_answers(page)
    sliders = page.locator("#panel-latent .slider input").count()
    page.focus("#panel-latent .slider input")
    page.keyboard.press("ArrowRight")
    wait_for_answers(page)
    for tab in ("sample", "interpolate"):
        page.click(f"#tab-{tab}")
        page.wait_for_selector(f"#panel-{tab} [data-framework=jax]")

    assert drawn.max() == 255
    assert sliders == latents
    assert "NaN" not in page.content()


def test_size_is_that_of_the_chosen_model(visit, serve, tmp_path):
    """A model that the first framework lacks has a canvas of its own size, not of the first one's default model."""
    wide = ModelConfig(image_shape=(16, 24), hidden_dim=16, latent_dim=3)
    save_checkpoints(tmp_path / "wide", wide)
    save_checkpoints(tmp_path)
    (tmp_path / "wide" / "pytorch" / "model.safetensors").rename(tmp_path / "pytorch" / "wide.safetensors")
    page = visit(path="/?model=wide#reconstruct", base_url=serve(make_service(tmp_path)).base_url)
    page.wait_for_selector("#panel-reconstruct dd.main:has-text('.')")

    assert page.eval_on_selector(DRAWING, "canvas => [canvas.height, canvas.width]") == [16, 24]


def test_map_of_other_checkpoints_is_a_sentence(visit, serve, tmp_path):
    """For checkpoints without a map a sentence says so, and nothing can be dragged into NaN."""
    save_checkpoints(tmp_path)
    client = serve(make_service(tmp_path))
    page = visit("latent", base_url=client.base_url)
    wait_for_answers(page)

    assert "There is no map for this model" in page.inner_text("#panel-latent .map")
    assert page.is_hidden("#panel-latent .map canvas.plane")
    kl = [float(text.split()[0]) for text in page.locator("#panel-latent .slider .kl").all_inner_texts()]
    assert kl == sorted(kl, reverse=True)


def test_own_mnist_model_has_the_map_of_its_companion(visit, serve, tmp_path):
    """Models of MNIST other than the bundled ones have a map of their own, translated to what is served."""
    save_checkpoints(tmp_path, ModelConfig(hidden_dim=16, latent_dim=2))
    models = {framework: ModelFile(tmp_path, framework, "model") for framework in FRAMEWORKS}
    write_companions(models["jax"], make_dataset(image_shape=(28, 28)))
    companion = json.loads(models["jax"].companion.read_text())
    companion["to"]["pytorch"]["checkpoint"] = "0" * 12
    models["jax"].companion.write_text(json.dumps(companion))
    page = visit("latent", base_url=serve(make_service(tmp_path)).base_url)
    wait_for_answers(page)
    page.wait_for_selector("#panel-latent .answers > .hint:has-text('fit R²')")

    assert page.is_visible("#panel-latent .map canvas.plane")
    hint = page.inner_text("#panel-latent .answers > .hint")
    assert "TensorFlow" in hint
    assert "PyTorch" not in hint


def test_page_spells_no_framework(service):
    """No file of the page names a framework: the service does."""
    html = service.get("/").text

    assert not [name for name in FRAMEWORKS if name in html.lower()]
    assert json.dumps(service.get("/frameworks").json()).count('"color"') == len(FRAMEWORKS)
