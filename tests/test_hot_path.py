"""The hot path's answers, over sockets as they are: the same as by the long way."""

import io
import json
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hot import JSON, NPY, as_json, plain, watch, wire_to, without_id
from tests.service import MODEL, make_images, make_service, npy, running
from tests.test_codecs_json_values import json_trees


@pytest.fixture(scope="module")
def service(checkpoints):
    """An application, and a client of it."""
    app = make_service(checkpoints)
    with running(app) as client:
        yield app, client


@pytest.fixture
def hot(service):
    """A connection to a service, and what is begun on its hot path."""
    app, client = service
    with wire_to(client) as wire:
        begun = watch(app)
        yield wire, begun
        del app.hot_path.begin


PLAIN = {
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
}


@pytest.mark.parametrize("name", PLAIN)
def test_answer_is_the_same_as_by_the_long_way(hot, name):
    """Under a header that bars the hot path, and on it, the answer is the same to the last bit."""
    wire, begun = hot

    first = wire.ask(**PLAIN[name], headers=["X-Request-Timeout: 20"])
    assert not begun
    wire.ask(**PLAIN[name])
    begun.clear()
    second = wire.ask(**PLAIN[name])

    assert len(begun) == 1
    assert first[0] == 200
    assert plain(second) == plain(first)
    assert list(second[1]) == list(first[1])
    assert len({answer[1]["x-request-id"] for answer in (first, second)}) == 2


def test_head_is_known_to_all_connections_and_for_any_length(service, hot):
    """Another client that sends the same head with another body takes the hot path at once."""
    wire, begun = hot
    _, client = service
    wire.ask("/reconstruct?seed=11")

    with wire_to(client) as other:
        status, headers, body = other.ask("/reconstruct?seed=11", npy(make_images(3)))

    assert len(begun) == 1
    assert status == 200
    assert headers["x-triptych-seed"] == "11"
    assert np.load(io.BytesIO(body)).shape == (3, 28, 28)


def test_fresh_seeds_differ(hot):
    """Without a seed each request has its own noise."""
    wire, begun = hot
    answers = [wire.ask("/reconstruct") for _ in range(4)]

    assert len(begun) == 3
    assert len({headers["x-triptych-seed"] for _, headers, _ in answers}) == 4
    assert len({body for _, _, body in answers}) == 4


def test_id_that_a_client_or_a_proxy_gives_comes_back(hot):
    """A head is known whatever id stands in it; what isn't a good id is no id."""
    wire, begun = hot
    ids = ["one", "two/2", "x" * 128, "x" * 129, "t w o"]
    url = "/encode?framework=pytorch"
    for sent in ids:
        wire.ask(url, headers=[f"X-Request-ID: {sent}"])
    begun.clear()

    answers = [wire.ask(url, headers=[f"x-request-id: {sent}"])[1] for sent in ids]
    answers += [wire.ask(url, headers=[f"X-Request-ID: {sent}"])[1] for sent in ids]

    found = [headers["x-request-id"] for headers in answers]
    assert len(begun) >= 2 * len(ids) - 3
    for index, (sent, got) in enumerate(zip(ids + ids, found, strict=True)):
        assert (got == sent) == (index % len(ids) < 3)


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
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_as_by_the_long_way(hot, name):
    """Wrong bodies under a known head get the sentence that they would get otherwise, and the connection goes on."""
    wire, begun = hot
    wrong, expected = WRONG[name]
    unknown = wire.ask(**wrong, headers=["X-First: 1"])
    right = (
        as_json() if wrong.get("kind") == JSON else {"url": wrong.get("url", "/reconstruct?seed=7").split("?out")[0]}
    )
    wire.ask(**right)
    wire.ask(**right)
    assert begun

    known = wire.ask(**wrong)

    for status, headers, body in (unknown, known):
        assert status == expected
        assert headers["content-type"] == "application/problem+json"
        assert json.loads(body)["request_id"] == headers["x-request-id"]
    details = [(json.loads(body)["detail"], json.loads(body)["errors"]) for _, _, body in (unknown, known)]
    assert details[0] == details[1]
    assert wire.ask(**right)[0] == 200


@pytest.mark.parametrize(
    "asked",
    [
        {"headers": ["X-Request-Timeout: 5"]},
        {"headers": ["Connection: close"]},
        {"body": npy(make_images(6))},
        {"body": npy(make_images(64))},
        as_json(count=6),
        as_json(count=64),
        {"url": "/score?seed=1"},
        {"url": "/compare?seed=1", "accept": JSON},
        {"body": b"\x89PNG", "kind": "image/png"},
    ],
)
def test_what_is_not_plain_takes_the_long_way(service, asked):
    """Headers that ask for more, many images and other routes are the application's, each time."""
    app, client = service
    begun = watch(app)
    expected = 400 if asked.get("kind") == "image/png" else 200
    for _ in range(3):
        with wire_to(client) as wire:
            assert wire.ask(**asked)[0] == expected
    del app.hot_path.begin

    assert not begun


def fill(shape, dtype, value):
    """Return a npy file all of whose items are one value."""
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
def test_any_body_gets_the_same_answer_by_both_ways(hot, url, accept, asked):
    """Whatever is sent under a known head, good or not, is answered as it would be otherwise."""
    wire, _ = hot
    kind, body = asked
    if accept != NPY:
        url = url.removesuffix("&output=mean")

    answers = [
        plain(wire.ask(url, body, kind=kind, accept=accept, headers=headers))
        for headers in (["X-Request-Timeout: 20"], [], [])
    ]

    assert without_id(answers[1]) == without_id(answers[0])
    assert without_id(answers[2]) == without_id(answers[0])
