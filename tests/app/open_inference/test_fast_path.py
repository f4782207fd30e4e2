"""Infer requests on the fast path: which of them take it, and errors there in the protocol's form."""

import numpy as np
import pytest

from tests.support.app import make_service, running
from tests.support.clients.fast_path_client import watched
from tests.support.clients.inference_protocol import assert_error, infer, make_body, make_inputs, post


@pytest.fixture(scope="module")
def app(checkpoints):
    """An application with a fast path."""
    return make_service(checkpoints, frameworks="jax", fast_path=True)


@pytest.fixture(scope="module")
def fast_client(app):
    """A client of a service with a fast path."""
    with running(app) as client:
        yield client


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("task", ["reconstruct", "encode", "decode", "sample", "vae"])
def test_small_request_takes_the_fast_path(app, fast_client, task, binary):
    """A small request for one operation needs no ASGI task, whether its tensors are binary or JSON."""
    with watched(app) as handled:
        infer(fast_client, f"jax-{task}", make_inputs(task, 1), binary=binary)

    assert len(handled) == 1


@pytest.mark.parametrize(
    ("task", "count", "headers"),
    [("score", 1, {}), ("encode", 8, {}), ("sample", 20, {}), ("encode", 1, {"Accept-Encoding": "gzip"})],
)
def test_other_request_is_left_to_the_application(app, fast_client, task, count, headers):
    """Several operations, many images and compressed responses are the application's."""
    body, length = make_body(make_inputs(task, count))
    with watched(app) as handled:
        response = post(fast_client, f"jax-{task}", body, length, **headers)

    assert response.status_code == 200
    assert not handled


def test_wrong_request_is_an_error_of_the_protocol(app, fast_client):
    """A wrong value is 400 in the protocol's form on the fast path too."""
    inputs = {"images": np.full((1, 28, 28), 2, np.float32)}
    with watched(app) as handled:
        response = post(fast_client, "jax-encode", *make_body(inputs))

    assert len(handled) == 1
    assert_error(response, 400)


def test_query_parameter_is_refused(app, fast_client):
    """A seed in the query is no seed of the request: the message names the place for it."""
    body, length = make_body(make_inputs("encode", 1))
    headers = {"Inference-Header-Content-Length": length, "Accept-Encoding": "identity"}
    with watched(app) as handled:
        response = fast_client.post("/v2/models/jax-encode/infer?seed=7&framework=jax", content=body, headers=headers)

    assert len(handled) == 1
    assert_error(response, 400)
    assert "query.framework" in response.json()["error"]
    assert '"parameters": {"seed": 7}' in response.json()["error"]


def test_full_queue_is_an_error_of_the_protocol(app, fast_client, monkeypatch):
    """A rejection before the body is read has the protocol's form."""
    monkeypatch.setattr(app.state.registry.get("jax").batcher, "is_full", True)
    with watched(app) as handled:
        response = post(fast_client, "jax-encode", *make_body(make_inputs("encode", 1)))

    assert len(handled) == 1
    assert_error(response, 429)
    assert response.headers["Retry-After"] == "1"


def test_result_that_is_not_finite_is_refused_as_json(app, fast_client):
    """Numbers that JSON can't hold are the client's error, not the server's."""
    inputs = make_inputs("decode", 1)
    inputs["latents"][:] = 3e38
    with watched(app) as handled:
        response = post(fast_client, "jax-decode", *make_body(inputs))

    assert len(handled) == 1
    assert_error(response, 400)
