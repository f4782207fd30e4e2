"""Snapshots of a run by `epoch`: computed with on every route, listed, unknown ones refused, dropped at a reload."""

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
    save_snapshots,
)
from tests.support.checkpoints import make_checkpoint, make_weights
from training.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from training.checkpoints.model_files import ModelFile
from training.checkpoints.snapshots import load_snapshot
from training.frameworks import FRAMEWORKS
from training.numpy_model import encode


@pytest.fixture
def folder(tmp_path):
    """Checkpoints with snapshots of epochs 0 and 5."""
    save_checkpoints(tmp_path)
    for framework in FRAMEWORKS:
        save_snapshots(ModelFile(tmp_path, framework))
    return tmp_path


@pytest.fixture
def client(folder):
    """A client of a service of these checkpoints."""
    with running(make_service(folder)) as client:
        yield client


def send(client, route, query):
    """Send a model route the smallest request."""
    if route == "sample":
        return client.get(f"/sample?{query}")
    if route == "decode":
        return client.post(f"/decode?{query}", json={"latents": [[0.5] * 20]})
    return post_npy(client, f"/{route}?{query}", make_images(2))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_epoch_computes_with_its_snapshot(client, folder, framework):
    """Each framework encodes with the snapshot's weights, its own or another framework's, and names the epoch."""
    images = make_images(2)
    for owner in (framework, "jax"):
        model = ModelFile(folder, owner)
        weights = load_snapshot(model, load_checkpoint(model.path), 5).weights

        response = send(client, "encode", f"framework={framework}&weights={owner}&epoch=5")

        assert response.json()["mean"] == pytest.approx(encode(weights, images)[0], abs=1e-4)
        assert response.json()["epoch"] == 5
        assert response.headers["X-Triptych-Epoch"] == "5"
        assert "epoch" not in send(client, "encode", f"framework={framework}").json()


@pytest.mark.parametrize("route", ["reconstruct", "encode", "score", "interpolate", "decode", "sample"])
def test_every_route_takes_an_epoch(client, route):
    """A model route computes with the snapshot."""
    responses = [send(client, route, query) for query in ("epoch=0", "epoch=0&framework=pytorch")]

    assert [response.json()["epoch"] for response in responses] == [0, 0]


def test_compare_takes_an_epoch(client):
    """All frameworks compute with the snapshot of one checkpoint, so they agree."""
    answer = send(client, "compare", "epoch=5&weights=jax&seed=7").json()

    assert {result["epoch"] for result in answer["results"].values()} == {5}
    assert max(answer["max_abs_difference"].values()) < 1e-5


@pytest.mark.parametrize("route", ["reconstruct", "sample", "compare"])
def test_unknown_epoch_is_404_with_those_that_there_are(client, route):
    """The message lists the epochs, and the checkpoint itself is served on."""
    response = send(client, route, "epoch=3&weights=jax")

    assert_problem(response, 404)
    assert response.json()["detail"] == "jax/model has no snapshot of epoch 3: it has those of epochs 0, 5"
    assert send(client, route, "seed=1").status_code == 200


def test_epoch_without_snapshots_is_404(checkpoints):
    """A checkpoint without snapshots is served, and a request for an epoch says what to do."""
    with running(make_service(checkpoints)) as client:
        response = client.get("/sample?epoch=0")

    assert_problem(response, 404)
    assert response.json()["detail"] == "jax/model has no snapshot of epoch 0: it has none: leave epoch out"


@pytest.mark.parametrize("epoch", ["-1", "1.5", "last", "99999999999999999999"])
def test_wrong_epoch_is_422(client, epoch):
    """An epoch is a whole number from 0."""
    assert_problem(client.get(f"/sample?epoch={epoch}"), 422)


def test_models_list_their_snapshots(client):
    """Each model has the epochs of its snapshots, with their validation ELBO."""
    models = client.get("/models").json()["models"]

    snapshots = [{"epoch": 0, "validation_elbo": -200.0}, {"epoch": 5, "validation_elbo": -195.0}]
    assert [model["snapshots"] for model in models] == [snapshots] * len(FRAMEWORKS)


def test_snapshots_are_within_the_limit_of_models(folder):
    """A snapshot takes the place of the least recently used model that was loaded by a request."""
    with running(make_service(folder, max_models=2)) as client:
        for epoch in (0, 5, 0):
            assert client.get(f"/sample?epoch={epoch}").json()["epoch"] == epoch
        assert client.get("/sample").status_code == 200


def test_reload_serves_no_snapshot_of_the_old_checkpoint(folder):
    """After another checkpoint was put in place and reloaded, snapshots of the old one are 404."""
    query = "epoch=5&framework=pytorch&weights=jax"
    path = checkpoint_path(folder, "jax")
    with running(make_service(folder, api_keys="k3y")) as client:
        client.headers["X-API-Key"] = "k3y"
        before = send(client, "sample", query)
        save_checkpoint(path, make_checkpoint(MODEL, make_weights(MODEL, seed=77), framework="jax"))

        reloaded = client.post("/admin/reload?framework=jax")

        after = send(client, "sample", query)

    assert (before.status_code, reloaded.status_code) == (200, 200)
    assert_problem(after, 404)
