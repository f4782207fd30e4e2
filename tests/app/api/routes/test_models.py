"""The routes that compute: what comes back, in which form, and from where."""

import io

import numpy as np
import pytest
from PIL import Image

from app.inference import operations
from tests.support.app import MODEL, make_images, numpy_adapter_of, post_npy, read_npy, run_operation, to_base64
from tests.support.images.image_files import encode, scene, scene_image
from training.checkpoints.checkpoint import load_checkpoint
from training.frameworks import FRAMEWORKS, framework_aliases

PROVENANCE = ["framework", "model", "weights", "framework_version", "device", "checkpoint", "seed"]

ARRAYS = {
    "reconstruct": ["probs", "mean", "logvar", "elbo", "log_likelihood", "kl_divergence"],
    "encode": ["mean", "logvar"],
    "decode": ["probs"],
    "sample": ["probs", "latents"],
}


def ask(client, route, accept="application/json", query=""):
    """Send a route the smallest request for two images that it answers."""
    if route == "sample":
        return client.get(f"/sample?n=2&{query}", headers={"Accept": accept})
    array = np.zeros((2, MODEL.latent_dim), np.float32) if route == "decode" else make_images(2)
    return post_npy(client, f"/{route}?{query}", array, Accept=accept)


def assert_close(actual, expected):
    """Compare arrays by name, up to what decimal digits cost."""
    for name, array in expected.items():
        np.testing.assert_allclose(np.array(actual[name], np.float32), array, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("route", ARRAYS)
def test_json_holds_the_arrays_then_where_they_come_from(client, route):
    """A JSON answer has the route's arrays in the contract's order, and then its provenance."""
    response = ask(client, route)

    assert response.headers["Content-Type"] == "application/json"
    assert list(response.json()) == ARRAYS[route] + PROVENANCE


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_reconstruct_computes_what_the_adapter_does(client, checkpoints, framework):
    """The arrays are those of the framework's own checkpoint, for the request's seed."""
    images = make_images()
    expected = run_operation(operations.reconstruct, numpy_adapter_of(checkpoints, framework), images, seed=7)

    answer = post_npy(client, f"/reconstruct?framework={framework}&seed=7", images).json()

    assert_close(answer, expected)


def test_encode_draws_latents_only_when_asked(client, checkpoints):
    """With `sample=true` there are latents, drawn with the seed; without it there are none, and no seed."""
    images = make_images()
    expected = run_operation(operations.encode_and_sample, numpy_adapter_of(checkpoints), images, seed=7)

    plain = post_npy(client, "/encode?seed=7", images).json()
    drawn = post_npy(client, "/encode?seed=7&sample=true", images).json()

    assert "latents" not in plain
    assert plain["seed"] is None
    assert_close(drawn, expected)
    assert drawn["seed"] == 7


def test_decode_takes_the_latents_of_sample(client):
    """Decoding the latents that were drawn gives the pictures that were drawn, and no seed."""
    sampled = client.get("/sample?n=3&seed=5").json()

    decoded = client.post("/decode", json={"latents": sampled["latents"]}).json()

    assert_close(decoded, {"probs": np.array(sampled["probs"], np.float32)})
    assert decoded["seed"] is None


@pytest.mark.parametrize("route", ARRAYS)
def test_npy_holds_the_first_array(client, route):
    """A npy answer holds the first array of the JSON answer, in float32."""
    expected = ask(client, route, query="seed=7" * (route != "decode")).json()[ARRAYS[route][0]]

    response = ask(client, route, accept="application/x-npy", query="seed=7" * (route != "decode"))

    assert response.headers["Content-Type"] == "application/x-npy"
    assert read_npy(response).dtype == np.float32
    np.testing.assert_allclose(read_npy(response), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ARRAYS["reconstruct"])
def test_npy_holds_the_array_that_is_asked_for(client, name):
    """`output=NAME` picks another array."""
    expected = ask(client, "reconstruct", query="seed=7").json()[name]

    response = ask(client, "reconstruct", query=f"seed=7&format=npy&output={name}")

    np.testing.assert_allclose(read_npy(response), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("route", ["reconstruct", "decode", "sample"])
def test_png_shows_the_pictures(client, route):
    """A PNG answer is a picture, of several as a grid."""
    response = ask(client, route, accept="image/png")

    assert response.headers["Content-Type"] == "image/png"
    with Image.open(io.BytesIO(response.content)) as picture:
        assert picture.size == (28 + 2 + 28, 28)


def test_format_wins_over_accept(client):
    """`?format=` is for browsers, whose Accept header is theirs."""
    response = client.get("/sample?format=npy", headers={"Accept": "text/html,image/png"})

    assert response.headers["Content-Type"] == "application/x-npy"


@pytest.mark.parametrize("accept", ["application/json", "application/x-npy", "image/png"])
def test_headers_tell_where_an_answer_comes_from(client, checkpoints, accept):
    """Whatever the format, headers name framework, version, device, checkpoint and seed."""
    sha256 = load_checkpoint(checkpoints / "pytorch" / "model.safetensors").sha256

    response = ask(client, "sample", accept=accept, query="framework=pytorch&seed=7")

    provenance = {name: response.headers[f"X-Triptych-{name.replace('_', '-')}"] for name in PROVENANCE}
    assert provenance == {
        "framework": "pytorch",
        "model": "model",
        "weights": "pytorch",
        "framework_version": np.__version__,
        "device": "cpu",
        "checkpoint": sha256[:12],
        "seed": "7",
    }


@pytest.mark.parametrize("route", ["encode", "decode"])
def test_no_seed_is_named_where_no_noise_is_drawn(client, route):
    """Without noise the answer's seed is null, and there is no header for it."""
    response = ask(client, route)

    assert response.json()["seed"] is None
    assert "X-Triptych-Seed" not in response.headers


def test_server_timing_splits_the_time(client):
    """The Server-Timing header gives the queue, the model and the total, in milliseconds."""
    header = ask(client, "reconstruct").headers["Server-Timing"]

    durations = {part.split(";dur=")[0].strip(): float(part.split(";dur=")[1]) for part in header.split(",")}
    assert list(durations) == ["queue", "model", "total"]
    assert durations["total"] >= durations["model"] > 0


@pytest.mark.parametrize(
    ("alias", "framework"), [*framework_aliases().items(), ("JAX", "jax"), (" PyTorch", "pytorch")]
)
def test_framework_is_found_by_alias_and_in_any_case(client, alias, framework):
    """The answer names the framework by its canonical word."""
    response = client.get("/sample", params={"framework": alias})

    assert response.json()["framework"] == framework


def test_seed_gives_the_same_latents_in_every_framework(client):
    """The noise is the seed's alone."""
    latents = [client.get(f"/sample?framework={name}&n=3&seed=7").json()["latents"] for name in FRAMEWORKS]

    assert latents[0] == latents[1] == latents[2]


def test_noise_of_the_first_image_is_the_same_however_many_follow(client):
    """One draw and the first of three are the same under the same seed."""
    one = client.get("/sample?n=1&seed=7").json()["latents"]
    three = client.get("/sample?n=3&seed=7").json()["latents"]

    assert one[0] == three[0]


def test_fresh_seed_is_named_and_repeats_the_answer(client):
    """Without a seed each request draws its own below 2^53; sent again, it gives the same answer."""
    first, second = client.get("/sample").json(), client.get("/sample").json()

    again = client.get(f"/sample?seed={first['seed']}").json()

    assert 0 <= first["seed"] < 2**53
    assert first["seed"] != second["seed"]
    assert again == first


@pytest.mark.parametrize("seed", [0, 2**53 + 1, 2**63 - 1])
def test_every_seed_of_the_range_is_taken_exactly(client, seed):
    """The answer names the very seed that was sent, at both ends of the range and beyond 2^53."""
    response = client.get(f"/sample?seed={seed}")

    assert response.json()["seed"] == seed


def test_option_may_stand_in_the_body_or_in_the_query(client):
    """A JSON body's option means what the query's does."""
    images = make_images().tolist()

    in_query = client.post("/reconstruct?seed=7&invert=true", json={"images": images})
    in_body = client.post("/reconstruct", json={"images": images, "seed": 7, "invert": True})

    assert in_body.json() == in_query.json()


@pytest.mark.parametrize("kind", ["raw", "multipart", "base64", "npy"])
def test_picture_is_the_same_however_it_is_sent(client, kind):
    """A picture as the body, in a form, in base64 or as an array is one and the same image."""
    picture = encode(scene(), "PNG")
    requests = {
        "raw": {"content": picture, "headers": {"Content-Type": "image/png"}},
        "multipart": {"files": {"files": ("scene.png", picture)}},
        "base64": {"json": {"images": [to_base64(picture)]}},
    }
    expected = client.post("/encode", json={"images": [scene_image().tolist()]}).json()

    if kind == "npy":
        answer = post_npy(client, "/encode", scene_image()).json()
    else:
        answer = client.post("/encode", **requests[kind]).json()

    assert answer == expected


def test_large_bodies_and_answers_are_right_too(client, checkpoints):
    """Parsing and rendering in a thread gives the same result as in the event loop."""
    images = make_images(300)
    expected = run_operation(operations.encode, numpy_adapter_of(checkpoints), images)

    answer = client.post("/encode", json={"images": images.tolist()})

    assert_close(answer.json(), expected)
    assert len(answer.content) > 2**16
