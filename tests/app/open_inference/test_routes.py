"""The routes under /v2 of a running service: documents, health, and errors in the protocol's form."""

import gzip

import numpy as np
import pytest

from app.open_inference.signatures import TASKS
from tests.support.app import make_service, running
from tests.support.clients.inference_protocol import assert_error, infer, make_body, make_inputs, post
from training.frameworks import FRAMEWORKS

NAMES = [f"{framework}-{task}" for framework in FRAMEWORKS for task in TASKS]

IMAGES = make_inputs("encode")["images"]


def test_server_describes_itself(client):
    """Name, version, and just the extensions that there are."""
    document = client.get("/v2").json()

    assert list(document) == ["name", "version", "extensions"]
    assert document["extensions"] == [
        "binary_tensor_data",
        "parameters",
        "model_repository",
        "model_configuration",
    ]


@pytest.mark.parametrize("word", ["live", "ready"])
def test_health_has_a_body_for_clients_that_accept_one(client, word):
    """KServe's client needs the body, Triton's, which sends no Accept header, wants none."""
    accepting = client.get(f"/v2/health/{word}")
    request = client.build_request("GET", f"/v2/health/{word}")
    del request.headers["Accept"]
    silent = client.send(request)

    assert accepting.json() == {word: True}
    assert silent.status_code == 200
    assert silent.content == b""


@pytest.mark.parametrize("version", ["", "/versions/1"])
@pytest.mark.parametrize("name", NAMES)
def test_each_model_is_ready_and_described(client, name, version):
    """Each model has metadata and a configuration, with or without its version."""
    ready = client.get(f"/v2/models/{name}{version}/ready")
    metadata = client.get(f"/v2/models/{name}{version}").json()
    config = client.get(f"/v2/models/{name}{version}/config").json()

    assert (ready.status_code, ready.content) == (200, b"")
    assert metadata["name"] == config["name"] == name
    assert metadata["versions"] == ["1"]
    assert [tensor["name"] for tensor in metadata["inputs"]] == [tensor["name"] for tensor in config["input"]]


def test_index_lists_every_model(client):
    """The index is a bare array of all models, in a request without a body."""
    entries = client.post("/v2/repository/index").json()

    assert [entry["name"] for entry in entries] == NAMES
    assert {entry["state"] for entry in entries} == {"READY"}
    assert client.post("/v2/repository/index", json={"ready": True}).json() == entries


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/", 404),
        ("GET", "/v2/models", 404),
        ("GET", "/v2/models/jax-encode/stats", 404),
        ("GET", "/v2/models/resnet", 404),
        ("GET", "/v2/models/jax-encode/versions/2", 404),
        ("GET", "/v2/models/jax-encode/versions/x/ready", 404),
        ("GET", "/v2/models/jax-interpolate/ready", 404),
        ("POST", "/v2/models/jax-encode/versions/2/infer", 404),
        ("POST", "/v2/models/%F0%9F%98%80/infer", 404),
        ("GET", "/v2/models/jax-encode/infer", 405),
        ("POST", "/v2", 405),
        ("DELETE", "/v2/health/live", 405),
        ("GET", "/v2/repository/index", 405),
        ("POST", "/v2/repository/models/resnet/load", 404),
        ("POST", "/v2/repository/models/jax-encode/load", 404),
        ("POST", "/v2/repository/models/jax-encode/unload", 404),
    ],
)
def test_route_model_or_version_that_is_not_there_is_an_error_of_the_protocol(client, method, path, status):
    """Nothing under /v2 is answered in the framework's own form, and loading is off unless it is set."""
    response = client.request(method, path)

    assert_error(response, status)
    assert ("Allow" in response.headers) == (status == 405)


@pytest.mark.parametrize(
    ("route", "advice"),
    [
        ("GET /v2", "without a query"),
        ("GET /v2/health/live", "without a query"),
        ("GET /v2/health/ready", "without a query"),
        ("GET /v2/models/jax-encode", "without a query"),
        ("GET /v2/models/jax-encode/versions/1/ready", "without a query"),
        ("GET /v2/models/jax-encode/config", "without a query"),
        ("POST /v2/models/jax-encode/infer", '"parameters": {"seed": 7}'),
        ("POST /v2/models/jax-score/versions/1/infer", '"parameters": {"seed": 7}'),
        ("POST /v2/repository/index", '{"ready": true}'),
        ("POST /v2/repository/models/jax-encode/load", "without a query"),
        ("POST /v2/repository/models/jax-encode/unload", "without a query"),
    ],
)
def test_query_parameter_is_an_error_of_the_protocol(client, route, advice):
    """No route has query parameters, nor ignores one: the message names it, and the place of options."""
    method, path = route.split()

    refused = client.request(method, f"{path}?seed=7")
    empty = client.request(method, f"{path}?")

    assert_error(refused, 400)
    assert refused.json()["error"].startswith("query.seed: unknown")
    assert advice in refused.json()["error"]
    assert "query" not in empty.text


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"", 400),
        ({}, b"{", 400),
        ({"Inference-Header-Content-Length": "9"}, b"{}", 400),
        ({"Content-Encoding": "br"}, b"{}", 415),
        ({"Content-Encoding": "gzip"}, b"{}", 400),
        ({"Content-Encoding": "gzip"}, gzip.compress(bytes(2**26)), 413),
        ({"X-Request-Timeout": "x"}, b"{}", 400),
    ],
)
def test_request_that_is_wrong_is_an_error_of_the_protocol(client, headers, body, status):
    """A 422 of the plain routes is 400 here; an unknown coding names the known ones."""
    response = client.post("/v2/models/jax-encode/infer", content=body, headers=headers)

    assert_error(response, status)
    assert response.headers.get("Accept-Encoding") == ("gzip, deflate" if status == 415 else None)


def test_deadline_of_the_request_is_504(client):
    """`timeout`, in microseconds, is the deadline of the answer."""
    inputs = {"images": np.tile(IMAGES, (300, 1, 1))}
    body, length = make_body(inputs, parameters={"samples": 100, "timeout": 1})

    assert_error(post(client, "jax-score", body, length), 504)


def test_batch_over_the_limit_is_413(client):
    """A batch is under the plain routes' limit."""
    body, length = make_body({"n": np.array([2000], np.int32)})

    assert_error(post(client, "jax-sample", body, length), 413)


def test_keys_are_required_but_for_health(checkpoints):
    """A key is required everywhere under /v2 but for the health checks; without one the error is the protocol's."""
    with running(make_service(checkpoints, api_keys="k3y")) as client:
        refused = client.get("/v2/models/jax-encode")
        live, ready = client.get("/v2/health/live"), client.get("/v2/health/ready")
        accepted = client.get("/v2/models/jax-encode", headers={"Authorization": "Bearer k3y"})

    assert_error(refused, 401)
    assert {live.status_code, ready.status_code, accepted.status_code} == {200}


def test_rate_limit_is_an_error_of_the_protocol(checkpoints):
    """The rate limit of the plain routes holds here too."""
    with running(make_service(checkpoints, rate_limit="1/hour")) as client:
        client.get("/v2")
        response = client.get("/v2")

    assert_error(response, 429)
    assert int(response.headers["Retry-After"]) > 0


def test_fault_of_the_server_is_an_error_of_the_protocol(checkpoints, monkeypatch):
    """An error that nobody expected is 500 in the same form, and the connection goes on."""
    monkeypatch.setattr("app.open_inference.routes.require_ready", lambda _: 1 / 0)
    with running(make_service(checkpoints)) as client:
        response = client.get("/v2/health/ready")
        after = client.get("/v2/health/live")

    assert_error(response, 500)
    assert after.status_code == 200


def test_metrics_count_by_route_and_framework(client):
    """The label of a route is its template, never a path that a client made up."""
    infer(client, "pytorch-encode")
    client.get("/v2/nonsense")

    text = client.get("/metrics").text

    assert 'route="/v2/models/{model}/infer",status="200"' in text
    assert "nonsense" not in text
