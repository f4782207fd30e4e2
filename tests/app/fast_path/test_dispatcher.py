"""Requests handled both ways, over plain sockets: the responses are the same."""

import json
import warnings
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.app import MODEL, make_images, make_service, npy, running
from tests.support.clients.fast_path_client import JSON, NPY, as_json, plain, watched, wire_to, without_id
from tests.support.strategies import json_trees

ORIGIN = "https://one.example"

SETTINGS = {
    "plain": {},
    "everything": {
        "rate_limit": "100000/second",
        "cors_origins": ORIGIN,
        "access_log": True,
        "api_keys": "k3y",
    },
    "any origin": {"cors_origins": "*"},
}


class Ways:
    """Two services that differ in nothing but the fast path, with a connection to each."""

    def __init__(self, fast, slow, app, headers):
        self.fast, self.slow, self.app, self.headers = fast, slow, app, headers

    def ask(self, *arguments, headers=(), **options):
        """Return the response of each way; the first must have taken the fast path, unless it is an error."""
        headers = [*self.headers, *headers]
        return [wire.ask(*arguments, headers=headers, **options) for wire in (self.fast, self.slow)]


@pytest.fixture(scope="module", params=SETTINGS)
def ways(request, checkpoints):
    """Both services under the same settings."""
    options = SETTINGS[request.param]
    headers = ["Authorization: Bearer k3y", f"Origin: {ORIGIN}"] if options else []
    with ExitStack() as stack:
        apps = [make_service(checkpoints, fast_path=is_fast, **options) for is_fast in (True, False)]
        wires = [stack.enter_context(wire_to(stack.enter_context(running(app)))) for app in apps]
        yield Ways(*wires, apps[0], headers)


FAST = {
    "npy": {},
    "npy of uint8": {"body": npy(np.full((2, 28, 28), 200, np.uint8))},
    "npy, an output": {"url": "/reconstruct?seed=1&framework=torch&output=mean"},
    "JSON": as_json(),
    "JSON with options": as_json(url="/reconstruct", seed=3, invert=True),
    "JSON to png": as_json() | {"accept": "image/png"},
    "several": {"body": npy(make_images(5))},
    "encode": {"url": "/encode"},
    "encode and sample": {"url": "/encode?sample=true&seed=5"},
    "decode": {"url": "/decode?framework=tensorflow", "body": npy(np.zeros((2, MODEL.latent_dim), np.float32))},
    "inverted": {"url": "/encode?invert=true"},
    "a trace": {"headers": ["traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]},
    "a cookie": {"headers": ["Cookie: a=b"]},
    "a deadline": {"headers": ["X-Request-Timeout: 20"]},
    "the last of its connection": {"headers": ["Connection: keep-alive"]},
    "a client behind a proxy": {"headers": ["X-Forwarded-For: 10.0.0.1", "X-Forwarded-Prefix: /vae"]},
    "an offer of HTTP/2": {"headers": ["Connection: Upgrade", "Upgrade: h2c"]},
}


@pytest.mark.parametrize("name", FAST)
def test_response_is_the_same_both_ways(ways, name):
    """Whatever headers a small request has, it takes the fast path, and its response is the same to the last bit."""
    with watched(ways.app) as handled:
        fast, slow = ways.ask(**FAST[name])

    assert len(handled) == 1
    assert slow[0] == 200
    assert plain(fast) == plain(slow)
    assert list(fast[1]) == list(slow[1])


def test_fresh_seeds_differ(ways):
    """Without a seed each request has its own noise."""
    responses = [ways.ask("/reconstruct")[0] for _ in range(4)]

    assert len({headers["x-triptych-seed"] for _, headers, _ in responses}) == 4
    assert len({body for _, _, body in responses}) == 4


def test_request_id_of_the_client_is_kept(ways):
    """An ID of visible ASCII is the response's too; any other is replaced."""
    for request_id, is_kept in {"one": True, "two/2": True, "x" * 128: True, "x" * 129: False, "t w o": False}.items():
        for _, headers, _ in ways.ask(headers=[f"X-Request-ID: {request_id}"]):
            assert (headers["x-request-id"] == request_id) == is_kept


WRONG = {
    "a number too large": ({"body": npy(make_images(1) + 1)}, 422),
    "no image": ({"body": npy(np.zeros((1, 3), np.float32))}, 422),
    "not npy": ({"body": b"not npy"}, 400),
    "an empty body": ({"body": b""}, 400),
    "no JSON": (as_json() | {"body": b"{"}, 400),
    "a boolean": (as_json() | {"body": b'{"images": [[true]]}'}, 422),
    "an unknown option": (as_json() | {"body": b'{"images": [], "no": 1}'}, 422),
    "an option twice": (as_json(seed=9), 422),
    "an output that isn't": ({"url": "/encode?output=probs"}, 422),
    "an unknown parameter": ({"url": "/encode?no=1"}, 422),
    "no such format": ({"accept": "text/html"}, 406),
    "no deadline": ({"headers": ["X-Request-Timeout: soon"]}, 422),
    "no such type": ({"kind": "text/plain"}, 415),
    "a wrong key": ({"headers": ["X-API-Key: wrong"]}, 200),
}


@pytest.mark.parametrize("name", WRONG)
def test_error_is_the_same_both_ways(ways, name):
    """Wrong requests get the same problem document, and the connection goes on."""
    wrong, status = WRONG[name]

    fast, slow = ways.ask(**wrong)

    assert slow[0] == status
    assert without_id(plain(fast)) == without_id(plain(slow))
    assert list(fast[1]) == list(slow[1])
    if status != 200:
        assert json.loads(fast[2])["request_id"] == fast[1]["x-request-id"]
    assert [status for status, _, _ in ways.ask()] == [200, 200]


@pytest.mark.parametrize(
    "asked",
    [
        {"body": npy(make_images(6))},
        {"body": npy(make_images(64))},
        as_json(count=6),
        as_json(count=64),
        {"url": "/score?seed=1"},
        {"url": "/compare?seed=1", "accept": JSON},
        {"url": "/compare?seed=1", "body": b"\x89PNG", "kind": "image/png", "accept": JSON},
    ],
)
def test_other_requests_are_left_to_the_application(ways, asked):
    """Many images, image files and other routes are the application's."""
    with watched(ways.app) as handled:
        status, _, _ = ways.ask(**asked)[0]

    assert status == (400 if asked.get("kind") == "image/png" else 200)
    assert not handled


def fill(shape, dtype, value):
    """Return an npy file all of whose items are one value."""
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        return NPY, npy(np.full(shape, value).astype(dtype))


arrays = st.builds(
    fill,
    st.sampled_from([(784,), (28, 28), (1, 784), (3, 28, 28), (2, 20), (20,), (7, 784), (0, 784), (), (1, 1, 784)]),
    st.sampled_from(["f4", "f8", "f2", "u1", "i8", ">f4", "c8", "?"]),
    st.sampled_from([0.0, 0.5, 1.0, 1.5, -0.0, -1.0, float("nan"), float("inf"), 1e30]),
)
objects = st.fixed_dictionaries(
    {},
    optional={
        "images": json_trees | st.sampled_from([[0.5] * 784, [[0.25] * 784] * 2, [[1] * 28] * 28, [True] * 784]),
        "latents": json_trees | st.sampled_from([[0.5] * 20, [[-3] * 20] * 2]),
        "seed": st.integers() | st.booleans(),
        "invert": st.booleans() | st.none(),
        "unknown": st.none(),
    },
).map(lambda members: (JSON, json.dumps(members).encode()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    url=st.sampled_from(["/reconstruct?seed=1", "/encode", "/decode", "/reconstruct?seed=2&output=mean"]),
    accept=st.sampled_from([NPY, JSON, "image/png"]),
    asked=arrays | objects | st.binary(max_size=300).map(lambda body: (NPY, body)),
)
def test_any_body_gets_the_same_response_both_ways(ways, url, accept, asked):
    """Whatever bytes are sent, valid or not, the response is the same."""
    kind, body = asked
    if accept != NPY:
        url = url.removesuffix("&output=mean")

    fast, slow = ways.ask(url, body, kind=kind, accept=accept)

    assert without_id(plain(fast)) == without_id(plain(slow))
