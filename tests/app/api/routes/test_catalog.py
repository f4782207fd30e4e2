"""`GET /models`, companion files, named models in `/compare` and in the Open Inference Protocol."""

import numpy as np
import pytest

from tests.support.app import (
    MODEL,
    assert_problem,
    checkpoint_path,
    make_images,
    make_service,
    post_npy,
    running,
    save_checkpoints,
)
from tests.support.checkpoints import make_checkpoint, make_weights
from tests.support.runs import make_dataset, make_trained
from training.checkpoints.checkpoint import save_checkpoint
from training.checkpoints.model_files import ModelFile
from training.config import ModelConfig
from training.frameworks import FRAMEWORKS
from training.reporting.companion import write_companions

WIDE = ModelConfig(image_shape=(4, 9), hidden_dim=8, latent_dim=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A default model in each framework, and wide images' models in two, one with a companion."""
    folder = save_checkpoints(tmp_path_factory.mktemp("checkpoints"))
    training = {"dataset": "images:/home/ada/cats", "command": "python -m training train"}
    for framework in ("jax", "pytorch"):
        path = checkpoint_path(folder, framework, "cats")
        save_checkpoint(path, make_trained(WIDE, framework=framework, training=training))
    write_companions(ModelFile(folder, "jax", "cats"), make_dataset(image_shape=(4, 9)))
    ModelFile(folder, "pytorch", "cats").companion.unlink()
    return folder


@pytest.fixture(scope="module")
def client(folder):
    """A client of a service of them."""
    with running(make_service(folder)) as client:
        yield client


def test_models_are_listed_with_shape_data_and_state(client):
    """Each framework's default is first; a model that isn't loaded is described from its file, without its folder."""
    listed = client.get("/models").json()

    entries = {(model["framework"], model["name"]): model for model in listed["models"]}
    assert listed["default_framework"] == "jax"
    assert listed["default_model"] == "model"
    assert list(entries) == [
        ("jax", "model"),
        ("jax", "cats"),
        ("tensorflow", "model"),
        ("pytorch", "model"),
        ("pytorch", "cats"),
    ]
    cats = entries["jax", "cats"]
    assert (cats["image_shape"], cats["latent_dim"], cats["dataset"]) == ([4, 9], 3, "images:cats")
    assert cats["metrics"]["test_elbo"] == -109.5
    assert (cats["companion"], entries["pytorch", "cats"]["companion"]) == (True, False)
    assert entries["jax", "model"]["ready"]
    assert "/home" not in client.get("/models").text


def test_companion_is_sent_once(client, folder):
    """The file is sent as it is, with an ETag; a client that has it gets 304."""
    response = client.get("/models/jax/cats/companion")
    again = client.get("/models/flax/cats/companion", headers={"If-None-Match": response.headers["ETag"]})

    assert response.content == ModelFile(folder, "jax", "cats").companion.read_bytes()
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("tags", [["*"], ['"a"', None], ['"a", W/"b"', None]])
def test_companion_is_compared_with_every_tag(client, tags):
    """Any entity tag, and several headers of one name."""
    etag = client.get("/models/jax/cats/companion").headers["ETag"]
    headers = [("If-None-Match", tag or etag) for tag in tags]

    assert client.get("/models/jax/cats/companion", headers=headers).status_code == 304


@pytest.mark.parametrize("path", ["pytorch/cats", "jax/birds", "jax/model", "caffe/model", "jax/a%20b"])
def test_absent_companion_is_404(client, path):
    """No companion, no model, no framework: the problem says which."""
    assert_problem(client.get(f"/models/{path}/companion"), 404)


def test_compare_takes_a_name(client):
    """Frameworks without a model of that name are listed with the reason."""
    images = np.zeros((1, 4, 9), np.float32)

    body = post_npy(client, "/compare?model=cats&seed=1", images).json()

    assert set(body["results"]) == {"jax", "pytorch"}
    assert body["results"]["jax"]["model"] == "cats"
    assert "no model 'cats'" in body["unavailable"]["tensorflow"]


def test_compare_with_one_frameworks_weights(client):
    """With `weights`, all frameworks compute with one checkpoint and agree."""
    body = post_npy(client, "/compare?weights=pytorch&seed=1", make_images(2)).json()

    assert {result["checkpoint"] for result in body["results"].values()} == {body["results"]["pytorch"]["checkpoint"]}
    assert set(body["results"]) == set(FRAMEWORKS)
    assert max(body["max_abs_difference"].values()) < 1e-6


def test_compare_of_an_unknown_name_is_404(client):
    """No framework has the model."""
    assert_problem(post_npy(client, "/compare?model=birds", make_images(1)), 404)


def test_compare_of_different_shapes_is_422(tmp_path):
    """The message has each framework's shape."""
    save_checkpoints(tmp_path)
    save_checkpoint(checkpoint_path(tmp_path, "jax"), make_checkpoint(WIDE, make_weights(WIDE)))
    with running(make_service(tmp_path)) as client:
        response = post_npy(client, "/compare", make_images(1))

    assert_problem(response, 422)
    assert "jax 4x9 pixels and 3 latents" in response.json()["detail"]


def test_protocol_has_a_model_for_each_name(client):
    """`jax-decode-cats` has its own shapes, is listed, and is loaded by its first request."""
    listed = {model["name"] for model in client.post("/v2/repository/index").json()}
    message = {"inputs": [{"name": "latents", "shape": [1, 3], "datatype": "FP32", "data": [0, 0, 0]}]}

    response = client.post("/v2/models/jax-decode-cats/infer", json=message)
    metadata = client.get("/v2/models/flax-decode-cats").json()
    absent = client.post("/v2/models/jax-decode-birds/infer", json=message)

    assert {"jax-decode", "jax-decode-cats", "pytorch-vae-cats"} <= listed
    assert response.status_code == 200
    assert response.json()["parameters"]["model"] == "cats"
    assert metadata["outputs"][0]["shape"] == [-1, 4, 9]
    assert absent.status_code == 404


def test_default_model_is_the_first_of_the_setting(folder):
    """Requests that name no model use it, in the protocol too."""
    with running(make_service(folder, frameworks="jax", models="cats,model")) as client:
        plain = client.get("/sample").json()
        metadata = client.get("/v2/models/jax-decode").json()
        named = client.get("/sample?model=model").json()

    assert (plain["model"], named["model"]) == ("cats", "model")
    assert metadata["outputs"][0]["shape"] == [-1, 4, 9]
    assert np.shape(named["probs"])[1:] == MODEL.image_shape
