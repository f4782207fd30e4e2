"""`/score`, `/interpolate` and `/compare` over HTTP."""

import numpy as np
import pytest

from app.errors import FrameworkUnavailableError
from app.inference import operations, scoring
from tests.support.app import (
    MODEL,
    assert_problem,
    compute,
    make_images,
    make_service,
    numpy_adapter_of,
    post_npy,
    run_operation,
    running,
)
from training.frameworks import FRAMEWORKS


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_score_is_the_framework_s_own(client, checkpoints, framework):
    """Each framework scores with its own checkpoint, with the seed's noise."""
    images = make_images()
    expected = compute(scoring.score, numpy_adapter_of(checkpoints, framework), images, samples=5, seed=7)

    answer = post_npy(client, f"/score?framework={framework}&samples=5&seed=7", images).json()

    assert list(answer)[: len(expected)] == list(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(np.array(answer[name], np.float32), array, rtol=1e-5, atol=1e-5, err_msg=name)
    assert answer["seed"] == 7


def test_samples_stand_in_the_body_too(client):
    """Options stand beside the images of a JSON body, under the same limits as in the query."""
    images = make_images(1).tolist()

    good = client.post("/score", json={"images": images, "samples": 3, "seed": 1})
    bad = client.post("/score", json={"images": images, "samples": 10**6})

    assert good.json() == client.post("/score?samples=3&seed=1", json={"images": images}).json()
    assert_problem(bad, 422)
    assert "at most 5000" in bad.json()["detail"]


@pytest.mark.parametrize("kind", ["images", "latents"])
@pytest.mark.parametrize("as_npy", [False, True])
def test_interpolate_takes_two_images_or_two_latents(client, checkpoints, kind, as_npy):
    """The ends are images or latents, as JSON or as an npy file, whose shape tells which."""
    dim = MODEL.image_dim if kind == "images" else MODEL.latent_dim
    ends = np.random.default_rng(0).random((2, dim), np.float32)
    if kind == "images":
        expected = compute(scoring.interpolate_images, numpy_adapter_of(checkpoints), ends, steps=4)
    else:
        expected = run_operation(operations.interpolate, numpy_adapter_of(checkpoints), ends, steps=4)

    if as_npy:
        answer = post_npy(client, "/interpolate?steps=4", ends).json()
    else:
        answer = client.post("/interpolate", json={kind: ends.tolist(), "steps": 4}).json()

    for name, array in expected.items():
        np.testing.assert_allclose(np.array(answer[name], np.float32), array, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "neither images nor latents"),
        ({"images": [[0.0] * 784] * 2, "latents": [[0.0] * 20] * 2}, "both images and latents"),
        ({"images": [[0.0] * 784]}, "holds 1: expected two"),
        ({"latents": [[0.0] * 20] * 3}, "holds 3: expected two"),
        ({"latents": [[0.0] * 20] * 2, "steps": 1}, "steps"),
        ({"latents": [[0.0] * 20] * 2, "steps": 5000}, "at most 1024"),
    ],
)
def test_interpolate_says_what_it_needs(client, body, word):
    """Ends that aren't two of one kind, and too few or too many steps, are 422 with a sentence."""
    response = client.post("/interpolate", json=body)

    assert_problem(response, 422)
    assert word in response.text


def test_compare_is_each_framework_s_reconstruction_with_the_same_noise(client):
    """The results are those of `/reconstruct` with the seed, the differences are the largest of their probs."""
    images = make_images()

    answer = post_npy(client, "/compare?seed=3", images).json()

    assert list(answer["results"]) == list(FRAMEWORKS)
    probs = {}
    for framework in FRAMEWORKS:
        alone = post_npy(client, f"/reconstruct?framework={framework}&seed=3", images).json()
        assert answer["results"][framework] == alone
        probs[framework] = np.array(alone["probs"])
    assert set(answer["model_ms"]) == set(FRAMEWORKS)
    assert answer["unavailable"] == {}
    assert answer["seed"] == 3
    for pair, difference in answer["max_abs_difference"].items():
        first, second = pair.split("-")
        assert difference == pytest.approx(np.abs(probs[first] - probs[second]).max(), abs=1e-6)


def test_compare_goes_on_without_a_framework_that_is_down(checkpoints):
    """A framework that isn't ready is named with its reason, and the others are compared."""
    app = make_service(checkpoints)

    with running(app) as client:
        batcher = app.state.registry.get("tensorflow").batcher
        batcher.close(FrameworkUnavailableError("tensorflow is out of service, for a test", retry_after_s=1))
        answer = post_npy(client, "/compare", make_images()).json()

    assert list(answer["results"]) == ["jax", "pytorch"]
    assert answer["unavailable"] == {"tensorflow": "tensorflow is out of service, for a test"}
    assert list(answer["max_abs_difference"]) == ["jax-pytorch"]


@pytest.mark.parametrize("query", ["framework=jax", "output=probs", "format=png"])
def test_compare_has_no_one_framework_and_no_one_array(client, query):
    """Options that make no sense for all frameworks at once are refused."""
    response = post_npy(client, f"/compare?{query}", make_images())

    assert response.status_code == (406 if "format" in query else 422)
