"""Errors are problem documents with the status of the contract."""

from contextlib import closing
from http.client import HTTPConnection

import numpy as np
import pytest

from tests.support.app import MODEL, assert_problem, make_service, npy, running

ONE_IMAGE = {"images": [[0.5] * MODEL.image_dim]}

JSON = {"Content-Type": "application/json"}

PNG = {"Content-Type": "image/png"}

NPY = {"Content-Type": "application/x-npy"}


@pytest.fixture(scope="module")
def small_client(checkpoints):
    """A client of a service with small limits."""
    with running(make_service(checkpoints, max_body_bytes=65536, max_images=8)) as client:
        yield client


@pytest.mark.parametrize(
    ("route", "request_", "status"),
    [
        ("POST /reconstruct", {"content": b"{", "headers": JSON}, 400),
        ("POST /reconstruct", {"content": b"", "headers": JSON}, 400),
        ("POST /reconstruct", {"content": b'{"images": [NaN]}', "headers": JSON}, 400),
        ("POST /encode", {"content": b"no picture", "headers": PNG}, 400),
        ("POST /encode", {"content": b"no array", "headers": NPY}, 400),
        ("POST /decode", {"content": npy(np.zeros((1, 20), np.float32)) + b"x", "headers": NPY}, 400),
        ("GET /nothing", {}, 404),
        ("GET /sample/", {}, 404),
        ("POST /sample", {}, 405),
        ("GET /reconstruct", {}, 405),
        ("DELETE /frameworks", {}, 405),
        ("POST /reconstruct", {"json": ONE_IMAGE, "headers": {"Accept": "text/html"}}, 406),
        ("POST /encode?format=png", {"json": ONE_IMAGE}, 406),
        ("POST /encode", {"json": ONE_IMAGE, "headers": {"Accept": "image/png"}}, 406),
        ("POST /reconstruct", {"content": b"x" * 70_000, "headers": NPY}, 413),
        ("POST /encode", {"content": npy(np.zeros((9, 784), np.uint8)), "headers": NPY}, 413),
        ("POST /reconstruct", {"content": b"hello"}, 415),
        ("POST /reconstruct", {"content": b"hello", "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST /reconstruct", {"json": ONE_IMAGE, "headers": {"Content-Encoding": "br"}}, 415),
        ("POST /decode", {"content": b"hello", "headers": PNG}, 415),
        ("POST /reconstruct", {"json": {"images": [[0.5] * 783]}}, 422),
        ("POST /reconstruct", {"json": {"images": [[1.5] * 784]}}, 422),
        ("POST /decode", {"json": {"latents": [[0.5] * 21]}}, 422),
        ("POST /decode", {"json": {"latents": []}}, 422),
    ],
)
def test_bad_request_is_a_problem_of_its_status(small_client, route, request_, status):
    """Each kind of bad request has its own status."""
    method, url = route.split()

    response = small_client.request(method, url, **request_)

    assert_problem(response, status)


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("seed=-1", "query.seed"),
        ("seed=9223372036854775808", "query.seed"),
        ("seed=7.5", "query.seed"),
        ("seed=7.0", "query.seed"),
        ("seed=1e3", "query.seed"),
        ("seed=true", "query.seed"),
        ("seed=1_000", "query.seed"),
        ("seed=", "query.seed"),
        ("seed=" + "9" * 5000, "query.seed"),
        ("n=0", "query.n"),
        ("n=1025", "query.n"),
        ("n=two", "query.n"),
        ("framework=", "query.framework"),
        ("framework=caffe", "query.framework"),
        ("format=bmp", "query.format"),
        ("format=npy&output=pixels", "query.output"),
        ("output=probs", "query.output"),
        ("format=png&output=probs", "query.output"),
        ("sed=7", "query.sed"),
        ("invert=true", "query.invert"),
        ("seed=7&seed=7", "query.seed"),
        ("framework=jax&framework=tf", "query.framework"),
    ],
)
def test_wrong_option_in_the_query_is_named(client, query, where):
    """A wrong, unknown or repeated parameter is a 422 that names it."""
    response = client.get(f"/sample?{query}")

    assert_problem(response, 422)
    assert where in [error["where"] for error in response.json()["errors"]]


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"seed": -1}, "body.seed"),
        ({"seed": 2**63}, "body.seed"),
        ({"seed": 7.0}, "body.seed"),
        ({"seed": True}, "body.seed"),
        ({"seed": "7"}, "body.seed"),
        ({"sample": 1}, "body.sample"),
        ({"invert": "true"}, "body.invert"),
        ({"sed": 7}, "body.sed"),
        ({"framework": "jax"}, "body.framework"),
    ],
)
def test_wrong_option_in_the_body_is_named(client, options, where):
    """A wrong or unknown member beside the images is a 422 that names it; JSON's types are taken strictly."""
    response = client.post("/encode", json=ONE_IMAGE | options)

    assert_problem(response, 422)
    assert where in [error["where"] for error in response.json()["errors"]]


@pytest.mark.parametrize("route", ["reconstruct", "score"])
def test_option_in_query_and_body_must_agree(client, route):
    """An option given twice is taken if both values are equal, else refused, with both named."""
    agreeing = client.post(f"/{route}?seed=7&invert=false", json=ONE_IMAGE | {"seed": 7, "invert": False})
    differing = client.post(f"/{route}?seed=7&invert=false", json=ONE_IMAGE | {"seed": 8, "invert": False})

    assert agreeing.json()["seed"] == 7
    assert_problem(differing, 422)
    assert differing.json()["errors"] == [{"where": "query.seed", "why": "is 7, but body.seed is 8: give it once"}]


def test_unknown_parameter_is_answered_with_the_known_ones(client):
    """The problem lists what the route knows."""
    response = client.get("/sample?sed=7")

    for name in ("framework", "format", "output", "seed", "n"):
        assert name in response.json()["detail"]


def test_of_many_unknown_members_the_first_are_told(client):
    """The answer to a body of a hundred thousand unknown options is short."""
    response = client.post("/encode", json=ONE_IMAGE | {f"option{index}": 0 for index in range(100_000)})

    assert_problem(response, 422)
    assert [error["where"] for error in response.json()["errors"]] == [f"body.option{index}" for index in range(10)]


def test_output_that_needs_another_option_is_refused(client):
    """`latents` can be asked for only where they are drawn, wherever that is said."""
    url = "/encode?format=npy&output=latents"

    without, with_sample = client.post(url, json=ONE_IMAGE), client.post(url, json=ONE_IMAGE | {"sample": True})

    assert_problem(without, 422)
    assert with_sample.status_code == 200


@pytest.mark.parametrize(
    ("route", "allowed"), [("POST /sample", "GET, HEAD"), ("GET /encode", "POST"), ("PUT /encode", "POST")]
)
def test_wrong_method_is_answered_with_the_right_one(client, route, allowed):
    """A 405 has an Allow header, and says it in words."""
    method, url = route.split()

    response = client.request(method, url)

    assert response.headers["Allow"] == allowed
    assert allowed in response.json()["detail"]


def test_unknown_route_is_answered_with_the_known_ones(client):
    """A 404 lists the routes, or names the one that was meant."""
    unknown, slash = client.get("/smaple"), client.post("/encode/")

    assert "/sample" in unknown.json()["detail"]
    assert "there is /encode" in slash.json()["detail"]


def test_declared_length_over_the_limit_is_refused_unread(small_client):
    """The body isn't waited for when its declared length is too large already."""
    url = small_client.base_url
    with closing(HTTPConnection(url.host, url.port, timeout=20)) as connection:
        connection.request("POST", "/encode", headers=NPY | {"Content-Length": "70000"})

        response = connection.getresponse()

    assert response.status == 413


def test_unforeseen_error_is_answered_without_its_details(checkpoints, monkeypatch):
    """A fault of our own is a 500 with a request id and nothing of the traceback."""
    app = make_service(checkpoints, frameworks="jax")
    monkeypatch.setattr("app.api.response_rendering.dump_object", lambda values: 1 / 0)

    with running(app) as client:
        response = client.get("/sample", headers={"X-Request-ID": "abc"})

    assert_problem(response, 500)
    assert response.json()["request_id"] == "abc"
    assert "division" not in response.text


@pytest.mark.parametrize(
    ("path", "allowed"), [("/openapi.json", "GET, HEAD"), ("/web/main.css", "GET, HEAD"), ("/encode", "POST")]
)
def test_wrong_method_names_each_right_one_once(client, path, allowed):
    """Of FastAPI's routes and of mounted files."""
    response = client.delete(path)

    assert_problem(response, 405)
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize(
    ("target", "advice"),
    [
        ("/encode?format=npy&output=latents", "add sample=true, or choose mean or logvar"),
        ("/score?format=npy&output=iwae", "add samples=2 or more, or choose elbo"),
        ("/encode?format=npy&output=probs", "expected mean or logvar"),
    ],
)
def test_array_that_needs_another_option_is_explained(client, target, advice):
    """The message names the option with which the response has the array."""
    response = client.post(target, json=ONE_IMAGE)

    assert_problem(response, 422)
    assert advice in response.json()["detail"]
