"""Inference under /v2 of a running service: every form of a request, and what it shares with the plain routes."""

import gzip
import json
import zlib

import numpy as np
import pytest

from app.open_inference.signatures import TASKS
from tests.support.app import MODEL, npy, post_npy, read_npy
from tests.support.clients.inference_protocol import infer, make_body, make_inputs, post, read_response
from training.frameworks import FRAMEWORKS

NAMES = [f"{framework}-{task}" for framework in FRAMEWORKS for task in TASKS]

IMAGES = make_inputs("encode")["images"]


@pytest.mark.parametrize("alias", ["flax-encode", "tf-encode", "keras-encode", "torch-encode"])
def test_aliases_are_answered_with_the_canonical_name(client, alias):
    """A framework's other names lead to the same model."""
    members, _ = infer(client, alias)

    assert members["model_name"] in NAMES
    assert client.get(f"/v2/models/{alias}").json()["name"] == members["model_name"]


@pytest.mark.parametrize(("name", "status"), [("torch-encode", 200), ("pytorch-encode", 200), ("flax-encode", 400)])
def test_model_name_is_that_of_the_url_or_the_canonical_one(client, name, status):
    """The name that clients copy from the URL is right, alias or not; another one is refused."""
    body, length = make_body(make_inputs("encode"), model_name=name)
    headers = {"Inference-Header-Content-Length": length}
    response = client.post("/v2/models/torch-encode/infer", content=body, headers=headers)

    assert response.status_code == status, response.text
    if status == 400:
        assert "expected 'torch-encode', as the URL says" in response.json()["error"]


@pytest.mark.parametrize("task", TASKS)
def test_every_form_of_a_request_has_the_same_outputs(client, task):
    """JSON or binary, both ways, compressed or not: the arrays are those of the metadata, and equal."""
    name = f"jax-{task}"
    inputs = make_inputs(task)
    metadata = client.get(f"/v2/models/{name}").json()
    results = []
    for binary_in in (True, False):
        body, length = make_body(inputs, binary=binary_in, parameters={"seed": 7})
        for binary_out in (True, False):
            members = {"seed": 7, "binary_data_output": binary_out}
            body, length = make_body(inputs, binary=binary_in, parameters=members)
            for coding, compressed in (
                ("identity", body),
                ("gzip", gzip.compress(body)),
                ("deflate", zlib.compress(body)),
            ):
                headers = {"Content-Encoding": coding, "Accept-Encoding": coding}
                response = post(client, name, compressed, length, **headers)
                assert response.status_code == 200, response.text
                assert response.headers.get("Content-Encoding", "identity") == coding
                header = response.headers.get("Inference-Header-Content-Length")
                assert (header is not None) == binary_out
                results.append(read_response(response.content, header and int(header))[1])

    for output in metadata["outputs"]:
        shape = [3 if size == -1 else size for size in output["shape"]]
        for arrays in results:
            assert list(arrays) == [tensor["name"] for tensor in metadata["outputs"]]
            assert list(arrays[output["name"]].shape) == shape
            np.testing.assert_allclose(arrays[output["name"]], results[0][output["name"]], atol=1e-5)


@pytest.mark.parametrize(
    ("task", "outputs"),
    [("decode", ["logits"]), ("decode", ["logits", "probs"]), ("reconstruct", ["probs"]), ("encode", ["mean"])],
)
def test_a_subset_of_outputs_is_that_of_all(client, task, outputs):
    """Outputs that aren't requested change nothing about the others."""
    _, every = infer(client, f"jax-{task}", parameters={"seed": 7})
    _, some = infer(client, f"jax-{task}", parameters={"seed": 7}, outputs=[{"name": name} for name in outputs])

    assert list(some) == outputs
    for name, array in some.items():
        np.testing.assert_allclose(array, every[name], atol=1e-5)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_outputs_are_those_of_the_plain_routes(client, framework):
    """The same inputs and seed have the same result by either protocol."""
    _, encoded = infer(client, f"{framework}-encode", parameters={"seed": 7})
    plain = client.post(
        f"/encode?framework={framework}&sample=true&seed=7",
        content=npy(IMAGES),
        headers={"Content-Type": "application/x-npy"},
    ).json()
    decoded = read_npy(post_npy(client, f"/decode?framework={framework}&format=npy", encoded["latents"]))
    _, decoded_by_v2 = infer(client, f"{framework}-decode", {"latents": encoded["latents"]})

    for name, array in encoded.items():
        np.testing.assert_allclose(array, plain[name], atol=1e-5)
    np.testing.assert_allclose(decoded_by_v2["probs"], decoded, atol=1e-6)
    np.testing.assert_allclose(decoded_by_v2["probs"], 1 / (1 + np.exp(-decoded_by_v2["logits"])), atol=1e-6)


def test_bare_model_and_encoder_agree(client):
    """`vae` with noise of its own is `encode`, then `decode` of mean + eps * exp(logvar / 2)."""
    inputs = make_inputs("vae")
    _, outputs = infer(client, "pytorch-vae", inputs)
    latents = outputs["mean"] + inputs["eps"] * np.exp(outputs["logvar"] / 2)
    _, decoded = infer(client, "pytorch-decode", {"latents": latents})

    np.testing.assert_allclose(outputs["logits"], decoded["logits"], atol=1e-5)


def test_the_seed_is_named_and_reusable(client):
    """A fresh seed is returned, and gives the same noise in every framework."""
    members, drawn = infer(client, "jax-encode")
    seed = members["parameters"]["seed"]
    noise = (drawn["latents"] - drawn["mean"]) / np.exp(drawn["logvar"] / 2)

    assert 0 <= seed < 2**53
    for framework in FRAMEWORKS:
        members, arrays = infer(client, f"{framework}-encode", parameters={"seed": seed})
        assert members["parameters"]["seed"] == seed
        assert members["parameters"]["framework"] == framework
        np.testing.assert_allclose(
            (arrays["latents"] - arrays["mean"]) / np.exp(arrays["logvar"] / 2), noise, atol=1e-4
        )


def test_raw_request_is_answered_in_binary(client):
    """A body of nothing but the input's bytes has every output in binary."""
    response = post(client, "jax-encode", IMAGES.tobytes(), "0")
    _, arrays = read_response(response.content, int(response.headers["Inference-Header-Content-Length"]))

    assert arrays["latents"].shape == (3, MODEL.latent_dim)


def test_score_has_a_bound_for_any_number_of_samples(client):
    """The importance-weighted bound is an output of one draw as of many."""
    for samples in (1, 8):
        _, arrays = infer(client, "jax-score", parameters={"samples": samples, "seed": 3})

        assert arrays["iwae"].shape == (3,)
        assert np.isfinite(arrays["iwae"]).all()


def test_json_answers_are_json(client):
    """A response without binary outputs is JSON, and says so."""
    body, length = make_body({"images": IMAGES})

    response = post(client, "jax-encode", body, length)

    assert response.headers["Content-Type"] == "application/json"
    assert json.loads(response.content)["model_name"] == "jax-encode"
