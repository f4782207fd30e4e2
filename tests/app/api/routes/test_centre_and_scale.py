"""`centre=true` crops and centers image files on every route that takes them; `scale` enlarges PNG responses."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.support.app import CHECKOUT, MODEL, assert_problem, make_service, npy, post_npy, read_npy, running, to_base64
from training.data.centering import center
from training.data.image_formats import open_image

ROUTES = ["/reconstruct", "/encode", "/score", "/interpolate", "/compare"]
JPEG = {"Content-Type": "image/jpeg"}


def photo():
    """Return the README's photo of a 3, dark on light."""
    return (CHECKOUT / "docs" / "images" / "photo.jpg").read_bytes()


def digit():
    """Return the photo as the array that `centre=true` makes of it."""
    return center(open_image(photo()).decode(), image_shape=(28, 28), invert=None)


def blank():
    """Return a PNG that shows nothing."""
    file = io.BytesIO()
    Image.new("L", (60, 60), 255).save(file, "PNG")
    return file.getvalue()


def numbers(*shape):
    """Return the arguments that post an npy file of zeros."""
    return {"content": npy(np.zeros(shape, np.float32)), "headers": {"Content-Type": "application/x-npy"}}


def read_png(response):
    """Return the levels of a PNG response."""
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(response.content)))


@pytest.mark.parametrize(
    "body",
    [
        {"content": photo(), "headers": JPEG},
        {"files": {"files": photo()}},
        {"json": {"images": [to_base64(photo())]}},
        {"json": {"images": to_base64(photo())}},
    ],
    ids=["file", "form", "base64 list", "base64"],
)
def test_photo_is_centered_in_every_kind_of_body(client, body):
    """A photo is found dark on light, cropped and centered: the means are those of the centered array."""
    centered = client.post("/encode?framework=jax&centre=true", **body)
    expected = post_npy(client, "/encode?framework=jax", digit()[np.newaxis])

    assert centered.status_code == 200, centered.text
    np.testing.assert_allclose(centered.json()["mean"], expected.json()["mean"], atol=1e-5)


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_of_images_centers_files(client, route):
    """With `centre` each route takes files, in query or body, and computes the same as with the centered arrays."""
    count = 2 if route == "/interpolate" else 1
    seed = {} if route == "/interpolate" else {"seed": 7}
    body = {"images": [to_base64(photo())] * count, **seed}

    queried = client.post(f"{route}?centre=true", json=body)
    in_body = client.post(route, json={**body, "centre": True})
    expected = client.post(route, json={"images": [digit().tolist()] * count, **seed})

    for response in (queried, in_body, expected):
        assert response.status_code == 200, response.text
        result = response.json().get("results", {"": response.json()})
        for name, members in result.items():
            figure = "probs" if "probs" in members else "mean" if "mean" in members else "elbo"
            reference = expected.json().get("results", {"": expected.json()})[name][figure]
            np.testing.assert_allclose(members[figure], reference, rtol=1e-4, atol=1e-5)


def test_invert_overrides_the_ink_that_centre_finds(client):
    """`invert=false` takes the light paper as ink, which is another image."""
    response = client.post("/encode?centre=true", content=photo(), headers=JPEG)
    same = client.post("/encode?centre=true&invert=true", content=photo(), headers=JPEG)
    other = client.post("/encode?centre=true&invert=false", content=photo(), headers=JPEG)

    assert response.json()["mean"] == same.json()["mean"]
    assert other.status_code != 200 or other.json()["mean"] != response.json()["mean"]


@pytest.mark.parametrize(
    ("route", "body", "where"),
    [
        ("/encode", {"json": {"images": [[0.5] * 784]}}, "body.images"),
        ("/encode", {"json": {"images": [to_base64(photo()), [0.5] * 784]}}, "body.images[1]"),
        ("/score", numbers(1, 784), "body"),
        ("/interpolate", {"json": {"latents": [[0.0] * 20] * 2}}, "body.latents"),
        ("/interpolate", numbers(2, 20), "body"),
    ],
)
def test_centre_of_numbers_is_refused(client, route, body, where):
    """Arrays have the model's shape already: `centre` with them is 422, and the sentence says what to send."""
    response = client.post(f"{route}?centre=true", **body)

    assert_problem(response, 422)
    assert response.json()["errors"][0]["where"] == where
    assert "centre=true is for image files: send the drawing as a PNG, or leave out centre" in response.json()["detail"]


def test_file_without_ink_is_refused(client):
    """An empty sheet is 422, and the sentence says what was expected."""
    response = client.post("/encode?centre=true", content=blank(), headers={"Content-Type": "image/png"})

    assert_problem(response, 422)
    assert "body shows no ink to center: expected a drawing" in response.json()["detail"]


@pytest.mark.parametrize("route", ["/decode", "/sample"])
def test_routes_without_images_know_no_centre(client, route):
    """A route that takes no image refuses the option by name."""
    response = client.request("GET" if route == "/sample" else "POST", f"{route}?centre=true", content=b"{}")

    assert_problem(response, 422)
    assert response.json()["errors"][0]["where"] == "query.centre"


@pytest.mark.parametrize("scale", [1, 2, 8, 16])
@pytest.mark.parametrize("n", [1, 5])
def test_scale_enlarges_each_pixel_of_a_png(client, scale, n):
    """Each pixel of one image or of a grid becomes a square of that side."""
    plain = read_png(client.get(f"/sample?n={n}&seed=7&format=png"))

    enlarged = read_png(client.get(f"/sample?n={n}&seed=7&format=png&scale={scale}"))

    np.testing.assert_array_equal(enlarged, plain.repeat(scale, axis=0).repeat(scale, axis=1))


def test_scale_is_an_option_of_query_and_body(client):
    """Reconstruct, decode and interpolate take it, beside the arrays too."""
    latents = {"latents": [[0.0] * 20]}

    queried = client.post("/decode?format=png&scale=3", json=latents)
    in_body = client.post("/decode?format=png", json={**latents, "scale": 3})
    reconstructed = client.post(
        "/reconstruct?centre=true&scale=8", content=photo(), headers={**JPEG, "Accept": "image/png"}
    )
    interpolated = client.post("/interpolate?format=png", json={"latents": [[0.0] * 20] * 2, "steps": 4, "scale": 2})

    assert read_png(queried).shape == (84, 84)
    np.testing.assert_array_equal(read_png(queried), read_png(in_body))
    assert read_png(reconstructed).shape == (224, 224)
    assert read_png(interpolated).shape == (116, 116)


@pytest.mark.parametrize(
    ("query", "body", "where"),
    [
        ("format=png&scale=0", {}, "query.scale"),
        ("format=png&scale=17", {}, "query.scale"),
        ("format=png&scale=2.5", {}, "query.scale"),
        ("format=png", {"scale": True}, "body.scale"),
        ("scale=8", {}, "query.scale"),
        ("", {"scale": 8}, "body.scale"),
        ("format=npy", {"scale": 8}, "body.scale"),
        ("format=png&scale=2", {"scale": 3}, "query.scale"),
    ],
)
def test_wrong_scale_is_refused(client, query, body, where):
    """A scale out of range, or without a PNG to enlarge, is 422 and names the option."""
    response = client.post(f"/decode?{query}", json={"latents": [[0.0] * 20], **body})

    assert_problem(response, 422)
    assert response.json()["errors"][0]["where"] == where


def test_scale_without_a_png_is_refused_where_there_is_no_body(client):
    """`/sample` says so too."""
    assert_problem(client.get("/sample?scale=8"), 422)


def test_png_of_too_many_pixels_is_refused(way, checkpoints):
    """An enlarged PNG has at most as many pixels as image files may have."""
    app = make_service(checkpoints, fast_path=way == "true", max_pixels=784 * 4 * 100)
    with running(app) as client:
        fits = client.get("/sample?n=100&format=png&scale=2")
        response = client.get("/sample?n=101&format=png&scale=2")
        decoded = client.post("/decode?format=png&scale=16", json={"latents": [[0.0] * 20] * 2})

    assert fits.status_code == 200
    for refused in (response, decoded):
        assert_problem(refused, 413)
        assert "lower scale, or request fewer images at a time" in refused.json()["detail"]


def test_npy_of_the_same_seed_is_untouched(client):
    """The enlarged PNG shows the probs that npy holds."""
    probs = read_npy(client.get("/sample?seed=7&format=npy"))

    png = read_png(client.get("/sample?seed=7&format=png&scale=4"))

    np.testing.assert_array_equal(png[::4, ::4], np.rint(probs[0] * 255))


def test_default_number_of_steps_is_within_the_limit(checkpoints):
    """A server for fewer images than the default interpolates fewer."""
    latents = {"latents": [[0.0] * MODEL.latent_dim] * 2}
    with running(make_service(checkpoints, frameworks="jax", max_images=4)) as client:
        default = client.post("/interpolate", json=latents)
        asked = client.post("/interpolate?steps=5", json=latents)

    assert len(default.json()["probs"]) == 4
    assert_problem(asked, 422)


def test_inverted_latents_are_refused(client):
    """As on `/decode`: an option that changes nothing is a mistake."""
    latents = {"latents": [[0.0] * MODEL.latent_dim] * 2}

    assert_problem(client.post("/interpolate?invert=true", json=latents), 422)
    assert client.post("/interpolate?invert=false", json=latents).status_code == 200
