"""The page with models of extreme sizes, of sizes that differ between frameworks, of one latent, or of no such name."""

import pytest

from tests.browser.looks import DRAWING, NOTHING, draw, fits, read_image, wait_for_answers
from tests.support.app import checkpoint_path, make_service, save_checkpoints
from tests.support.checkpoints import make_checkpoint, make_weights
from tests.support.runs import make_dataset
from training.checkpoints.checkpoint import save_checkpoint
from training.checkpoints.model_files import ModelFile
from training.config import ModelConfig
from training.frameworks import FRAMEWORKS
from training.reporting.companion import write_companions

SLIM = ModelConfig(image_shape=(5, 200), hidden_dim=16, latent_dim=2)
SQUARE = ModelConfig(image_shape=(28, 28), hidden_dim=16, latent_dim=20)

READ_MIDDLE = (
    "canvas => Array.from(canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data)"
)


@pytest.fixture
def open_pair(visit, serve, tmp_path):
    """Return a function that opens the page of a service in which JAX has another model than the other frameworks."""

    def open_pair(place, jax, others=SQUARE):
        save_checkpoints(tmp_path, others)
        save_checkpoints(tmp_path / "jax_only", jax)
        ModelFile(tmp_path / "jax_only", "jax").path.replace(ModelFile(tmp_path, "jax").path)
        app = make_service(tmp_path, frameworks="jax,pytorch")
        return visit(path=f"/?model=model#{place}", base_url=serve(app).base_url)

    return open_pair


@pytest.mark.parametrize("place", ["reconstruct?weights=own", "latent?space=pytorch", "sample", "interpolate"])
def test_model_of_another_size_is_left_out_with_a_sentence(open_pair, place):
    """The page has the first framework's size: it says why another has no panel, and compares nothing with it."""
    page = open_pair(place, SLIM)
    wait_for_answers(page)
    panel = f"#panel-{place.split('?')[0]}"

    assert page.locator(f"{panel} .framework canvas").count() > 0
    assert page.locator(f"{panel} [data-framework=pytorch]").count() == 0
    sentence = "PyTorch is left out: its images have 28 × 28 pixels, JAX's 200 × 5."  # noqa: RUF001 -- as on the page
    assert page.inner_text("#notices .notice") == sentence
    assert "other image size" in page.inner_text("#frameworks .pytorch")
    assert "Largest pixel difference" not in page.inner_text(panel)
    if place.startswith("latent"):
        assert page.input_value("#space") == "jax"
        assert page.locator(f"{panel} .slider input").count() == 2


def test_models_of_different_latents_are_not_of_one_recipe(open_pair):
    """With one image size and two numbers of latents, the hint names the difference."""
    page = open_pair("reconstruct?weights=own", ModelConfig(hidden_dim=16, latent_dim=2))
    wait_for_answers(page)

    hint = page.inner_text("#panel-reconstruct .answers > .hint")
    assert hint.startswith("The models were trained separately, and have different numbers of latents.")


def test_decoder_of_other_latents_says_why_it_shows_nothing(open_pair):
    """A framework that can't decode the point says so in its panel, and keeps no picture of another point."""
    page = open_pair("latent", ModelConfig(hidden_dim=16, latent_dim=2))
    wait_for_answers(page)

    notice = page.inner_text("#panel-latent [data-framework=pytorch] .notice")
    assert notice == "PyTorch can't decode this point: its model has 20 latents, JAX's has 2."
    page.select_option("#space", "pytorch")
    page.wait_for_selector("#panel-latent .slider >> nth=20")
    wait_for_answers(page)
    assert "JAX can't decode this point" in page.inner_text("#panel-latent [data-framework=jax] .notice")
    assert not any(read_image(page, "#panel-latent [data-framework=jax] canvas"))
    assert any(read_image(page, "#panel-latent [data-framework=pytorch] canvas"))


@pytest.mark.parametrize(("tab", "figure"), [("reconstruct", "dd.main"), ("sample", ".picture-foot .hint")])
def test_results_go_when_a_request_with_other_weights_fails(visit, allowed, tab, figure):
    """Nothing is left of a framework's results with another's weights if it fails with its own."""
    allowed.append("422")
    page = visit(tab)
    wait_for_answers(page)
    page.route(
        lambda url: "framework=pytorch" in url and "weights=" not in url,
        lambda route: route.fulfill(status=422, json={"detail": "the weights are odd"}),
    )

    page.click(f"#panel-{tab} >> text=Each its own")
    panel = f"#panel-{tab} [data-framework=pytorch]"
    page.wait_for_selector(f"{panel} .notice:has-text('The weights are odd.')")
    wait_for_answers(page)

    assert page.inner_text(f"{panel} {figure}") == NOTHING
    assert not any(read_image(page, f"{panel} canvas"))
    if tab == "reconstruct":
        assert set(page.locator(f"#panel-{tab} .difference dd").all_inner_texts()) == {NOTHING}


def test_pictures_of_different_shapes_are_not_compared(visit):
    """No difference is shown between different numbers of pictures."""
    page = visit("code")
    page.route("**/sample?framework=pytorch*", lambda route: route.continue_(url=route.request.url.replace("16", "9")))
    page.click("#tab-sample")
    wait_for_answers(page)

    assert any(read_image(page, "#panel-sample [data-framework=pytorch] canvas"))
    assert "Largest pixel difference" not in page.inner_text("#panel-sample")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
@pytest.mark.parametrize("shape", [(200, 5), (5, 200), (1, 9)])
def test_canvas_of_an_extreme_size_can_be_drawn_on(visit, serve, tmp_path, shape, width, height):
    """A canvas is neither too low nor too high to draw on, its buttons are in reach, and pictures are bounded too."""
    save_checkpoints(tmp_path, ModelConfig(image_shape=shape, hidden_dim=16, latent_dim=2))
    page = visit("reconstruct", base_url=serve(make_service(tmp_path)).base_url, width=width, height=height)
    wait_for_answers(page)

    canvas = page.locator(DRAWING).bounding_box()
    label = page.locator("#panel-reconstruct .draw-hint").bounding_box()
    pen = page.locator("#panel-reconstruct .tools button").first.bounding_box()
    heights = page.eval_on_selector_all(
        "#panel-reconstruct canvas.pixels", "nodes => nodes.map(node => node.clientHeight).filter(Boolean)"
    )
    before = read_image(page, DRAWING)
    draw(page, (0.1, 0.5), (0.9, 0.5))
    wait_for_answers(page)

    assert fits(page)
    assert 100 < canvas["height"] < height / 2
    assert canvas["width"] > 100
    assert label["width"] * label["height"] < 0.3 * canvas["width"] * canvas["height"]
    assert 0 < pen["y"] - canvas["y"] - canvas["height"] < 50
    assert max(heights) < height / 2
    assert read_image(page, DRAWING) != before


def test_unknown_model_is_a_sentence_with_a_choice(visit, serve, checkpoints):
    """A link to a model that doesn't exist says so, and offers those that do; the report and the code are shown."""
    page = visit(path="/?model=nope#reconstruct", base_url=serve(make_service(checkpoints)).base_url)
    page.wait_for_selector("#notices >> text=There is no model “nope” here: choose another.")
    wait_for_answers(page)

    assert page.inner_text("#panel-reconstruct") == ""
    assert page.locator("#model option").all_inner_texts() == ["choose…", "model"]
    page.click("#tab-code")
    page.wait_for_selector("#panel-code .code-line")
    page.click("#tab-reconstruct")
    page.select_option("#model", "model")
    page.wait_for_url("**/?model=model**")
    wait_for_answers(page)
    assert page.inner_text("#panel-reconstruct .answers h2") == "Your image, redrawn by three frameworks"
    assert page.is_hidden("#notices .notice")


def test_one_latent_has_neither_map_nor_pad(visit, serve, tmp_path):
    """A companion file of one latent has no map: the page gives that reason, and no pad of one dimension."""
    save_checkpoints(tmp_path, ModelConfig(hidden_dim=16, latent_dim=1))
    write_companions(ModelFile(tmp_path, next(iter(FRAMEWORKS))), make_dataset(image_shape=(28, 28)))
    page = visit("latent", base_url=serve(make_service(tmp_path)).base_url)
    wait_for_answers(page)

    assert page.inner_text("#panel-latent .map .hint") == "A map needs two latents."
    assert page.is_hidden("#panel-latent .pad")
    page.click("#tab-reconstruct")
    wait_for_answers(page)
    assert page.inner_text("#panel-reconstruct .live-map .hint") == "A map needs two latents."


def test_images_at_one_place_are_seen_on_the_map(visit, serve, tmp_path):
    """An encoder that ignores its images places them all at one point: it is drawn, and the hint says so."""
    model = ModelConfig(hidden_dim=16, latent_dim=2)
    weights = {name: 0 * array for name, array in make_weights(model).items()}
    save_checkpoint(checkpoint_path(tmp_path, "jax"), make_checkpoint(model, weights, framework="jax"))
    write_companions(ModelFile(tmp_path, "jax"), make_dataset(image_shape=(28, 28)))
    page = visit("latent", base_url=serve(make_service(tmp_path, frameworks="jax")).base_url)
    wait_for_answers(page)

    hint = page.inner_text("#panel-latent .map .hint")
    assert "as JAX's encoder places them: all at one place. Point" in hint
    assert "Hollow" not in hint
    own = page.eval_on_selector("#panel-latent .map canvas.plane", READ_MIDDLE)
    assert own == [0, 114, 178, 255], "the point isn't drawn in the framework's color"
    page.click("#tab-reconstruct")
    wait_for_answers(page)
    assert "Hollow" not in page.inner_text("#panel-reconstruct .live-map .hint")
