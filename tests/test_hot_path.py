"""The hot path, over sockets as they are: the same answers as by the long way, and nothing lost on it."""

import io
import json
import socket
import threading
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.inference.fake_adapter import FakeAdapter
from tests.service import MODEL, fake_load, load_jax_as, make_images, make_service, npy, running, wait_until
from tests.test_codecs_json_values import json_trees
from tests.test_service_metrics import read_samples

JSON, NPY = "application/json", "application/x-npy"


class Wire:
    """A connection that is kept."""

    def __init__(self, sock, answers):
        self.sock, self.answers = sock, answers

    def ask(self, *arguments, **options):
        """Send a request at once, and return its answer."""
        self.sock.sendall(request(*arguments, **options))
        return self.read()

    def read(self):
        """Return the next answer: status, headers and body."""
        status = int(self.answers.readline().split()[1])
        lines = iter(self.answers.readline, b"\r\n")
        headers = dict(line.decode().rstrip("\r\n").split(": ", 1) for line in lines)
        return status, headers, self.answers.read(int(headers["content-length"]))


def request(url="/reconstruct?seed=7", body=None, *, kind=NPY, accept=NPY, headers=()):
    """Return the bytes of a request."""
    body = npy(make_images(1)) if body is None else body
    lines = [f"POST {url} HTTP/1.1", "Host: x", f"Content-Type: {kind}", f"Accept: {accept}", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@contextmanager
def wire_to(client):
    """Give a connection to the service."""
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=20) as sock, sock.makefile("rb") as answers:
        yield Wire(sock, answers)


def watch(app):
    """Return a list to which each request of the application that is begun on the hot path is added."""
    begun, begin = [], app.hot_path.begin

    def spy(found, respond):
        request = begin(found, respond)
        if request is not None:
            begun.append(request)
        return request

    app.hot_path.begin = spy
    return begun


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


class GatedAdapter(FakeAdapter):
    """Reconstructs when it is let to."""

    def __init__(self, checkpoint, *, framework):
        super().__init__(checkpoint, framework=framework)
        self.begun, self.open = threading.Event(), threading.Event()
        self.open.set()

    def reconstruct(self, images, eps):
        """Wait to be let, then compute."""
        self.begun.set()
        assert self.open.wait(20)
        return super().reconstruct(images, eps)

    def shut(self):
        """Let nothing through from now on."""
        self.begun.clear()
        self.open.clear()


@contextmanager
def gated(checkpoints, **settings):
    """Give an application whose JAX is gated, its adapter, and a client of it."""
    app = make_service(checkpoints, load=load_jax_as(GatedAdapter), frameworks="jax", hang_timeout_s=0, **settings)
    with running(app) as client:
        adapter = app.state.registry.get("jax").adapter
        try:
            yield app, adapter, client
        finally:
            adapter.open.set()


def plain(answer):
    """Return an answer without what differs each time."""
    status, headers, body = answer
    passing = {"date", "server-timing", "x-request-id"}
    return status, {name: value for name, value in headers.items() if name not in passing}, body


def as_json(url="/reconstruct?seed=7", count=1, **members):
    """Return a request in JSON, and its answer in JSON."""
    images = make_images(count).astype(float).tolist()
    return {"url": url, "body": json.dumps({"images": images, **members}).encode(), "kind": JSON, "accept": JSON}


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


def test_client_that_sends_head_and_body_apart_takes_it_too(hot):
    """Many clients write the headers first; their heads are learned, and wait for the body."""
    wire, begun = hot
    url = "/encode?framework=jax"
    head, end, body = request(url).partition(b"\r\n\r\n")

    for sent in range(3):
        for piece in (head + end, body[:1000], body[1000:]):
            wire.sock.sendall(piece)
            # Nothing but time tells two pieces apart.
            threading.Event().wait(0.02)
        assert wire.read()[0] == 200
        assert len(begun) == sent


def test_body_that_is_late_is_waited_for_as_long_as_any(checkpoints):
    """What waits for its body goes to the parser, whose clocks apply; afterwards the connection is good for more."""
    app = make_service(checkpoints, frameworks="jax", transfer_timeout_s=2)
    head, end, body = request().partition(b"\r\n\r\n")
    with running(app) as client:
        with wire_to(client) as wire:
            wire.ask()
            begun = watch(app)
            wire.sock.sendall(head + end)
            # Longer than the server takes between two looks at its connections.
            threading.Event().wait(1.5)
            wire.sock.sendall(body)
            assert wire.read()[0] == 200
            assert not begun
            assert wire.ask()[0] == 200
            assert len(begun) == 1
        with wire_to(client) as wire:
            wire.sock.sendall(head + end + body[:100])
            status, headers, _ = wire.read()
            assert (status, headers["connection"]) == (408, "close")


def test_request_that_waits_for_its_body_is_answered_when_the_server_stops(checkpoints):
    """It goes to the parser, and is answered as it would be otherwise."""
    app = make_service(checkpoints, frameworks="jax")
    head, end, body = request().partition(b"\r\n\r\n")
    with running(app) as client, wire_to(client) as wire:
        wire.ask()
        wire.sock.sendall(head + end)
        threading.Event().wait(0.1)
        app.state.server.stop()
        threading.Event().wait(0.3)
        wire.sock.sendall(body)

        status, headers, _ = wire.read()
        assert (status, headers["connection"]) == (200, "close")


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


def test_requests_sent_ahead_are_answered_in_their_order(checkpoints):
    """While one is computed, what the client sends waits, known or not, and all are answered one after the other."""
    with gated(checkpoints) as (app, adapter, client), wire_to(client) as wire:
        wire.ask("/reconstruct?seed=1")
        begun = watch(app)
        adapter.shut()

        wire.sock.sendall(request("/reconstruct?seed=1"))
        assert adapter.begun.wait(20)
        wire.sock.sendall(request("/reconstruct?seed=1") + request("/reconstruct?seed=3"))
        wire.sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + request("/reconstruct?seed=1"))
        with wire_to(client) as other:
            other.sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert other.read()[0] == 200
        adapter.open.set()

        answers = [wire.read() for _ in range(5)]

    assert begun
    assert [status for status, _, _ in answers] == [200] * 5
    assert [headers.get("x-triptych-seed") for _, headers, _ in answers] == ["1", "1", "3", None, "1"]


def test_answer_that_takes_too_long_is_504(checkpoints):
    """The deadline holds, the place in the queue is free again, and the connection goes on."""
    with gated(checkpoints, request_timeout_s=1.5) as (app, adapter, client), wire_to(client) as wire:
        wire.ask()
        begun = watch(app)
        adapter.shut()

        # Longer than the server takes between two looks at its connections.
        status, headers, body = wire.ask()
        adapter.open.set()

        assert begun
        assert status == 504
        assert json.loads(body)["request_id"] == headers["x-request-id"]
        assert wire.ask()[0] == 200
        samples = read_samples(client.get("/metrics").text)
        assert samples["triptych_timed_out_total", ("framework", "jax")] == 1
        labels = ("framework", "jax"), ("route", "/reconstruct")
        assert samples["triptych_requests_total", *labels, ("status", "504")] == 1
        assert samples["triptych_requests_total", *labels, ("status", "200")] == 2


def test_client_that_leaves_frees_its_place(checkpoints):
    """What nobody waits for any more is dropped from the queue at once, and counted."""
    with gated(checkpoints) as (app, adapter, client):
        with wire_to(client) as first, wire_to(client) as second:
            first.ask()
            begun = watch(app)
            adapter.shut()
            first.sock.sendall(request())
            assert adapter.begun.wait(20)
            second.sock.sendall(request())
            wait_until(lambda: len(begun) == 2)
        cancelled = ("triptych_cancelled_total", ("framework", "jax"))
        wait_until(lambda: read_samples(client.get("/metrics").text).get(cancelled) == 2)

        batcher = app.state.registry.get("jax").batcher
        assert batcher._rows == batcher._nbytes == 0
        adapter.open.set()
        with wire_to(client) as wire:
            assert wire.ask()[0] == 200


def test_model_that_fails_is_503(checkpoints):
    """A fault of the framework is told as by the long way, and taken out."""

    class FailingAdapter(FakeAdapter):
        fails = False

        def reconstruct(self, images, eps):
            if self.fails:
                raise RuntimeError("no")
            return super().reconstruct(images, eps)

    app = make_service(checkpoints, load=load_jax_as(FailingAdapter), frameworks="jax")
    with running(app) as client, wire_to(client) as wire:
        wire.ask()
        begun = watch(app)
        app.state.registry.get("jax").adapter.fails = True

        status, headers, body = wire.ask()

        assert begun
        assert status == 503
        assert "raised RuntimeError" in json.loads(body)["detail"]
        assert "retry-after" in headers


def test_answer_that_cannot_be_written_is_500(checkpoints, caplog):
    """What nobody expected ends one request, with its id in the log, and no other."""
    app = make_service(checkpoints, frameworks="jax")
    with running(app) as client, wire_to(client) as wire:
        wire.ask()
        begun, begin = [], app.hot_path.begin

        def spoil(found, respond):
            request = begin(found, respond)
            request._planned = request._planned._replace(plan=None)
            begun.append(request)
            return request

        app.hot_path.begin = spoil
        status, headers, _ = wire.ask()
        del app.hot_path.begin

        assert begun
        assert status == 500
        assert headers["x-request-id"] in caplog.text
        assert wire.ask()[0] == 200


def test_fault_before_the_model_leaves_the_request_to_the_application(hot, service, monkeypatch):
    """Whatever goes wrong while a request is read, it gets the answer that it would get otherwise."""
    wire, begun = hot
    app, _ = service
    wire.ask("/reconstruct?seed=21")

    def fail(*_):
        raise RuntimeError("no")

    monkeypatch.setattr(app.hot_path, "_plan", fail)

    assert wire.ask("/reconstruct?seed=21")[0] == 200
    assert not begun


def test_request_under_way_is_answered_when_the_server_stops(checkpoints):
    """The answer says that the connection ends with it."""
    with gated(checkpoints) as (app, adapter, client), wire_to(client) as wire:
        wire.ask()
        begun = watch(app)
        adapter.shut()
        wire.sock.sendall(request())
        assert adapter.begun.wait(20)

        app.state.server.stop()
        threading.Event().wait(0.3)
        adapter.open.set()
        status, headers, _ = wire.read()

        assert begun
        assert (status, headers["connection"]) == (200, "close")
        assert wire.sock.recv(1) == b""


def test_key_that_was_taken_away_opens_nothing(checkpoints, tmp_path):
    """A head is known only with its key, and no longer than the key."""
    keys = tmp_path / "keys"
    keys.write_text("first-key\nsecond-key\n")
    app = make_service(checkpoints, frameworks="jax", api_keys_file=keys)
    with running(app) as client, wire_to(client) as wire:
        begun = watch(app)
        for key in ("wrong-key", "wrong-key"):
            assert wire.ask(headers=[f"X-API-Key: {key}"])[0] == 401
        assert not begun
        assert [wire.ask(headers=["X-API-Key: first-key"])[0] for _ in range(2)] == [200, 200]
        assert len(begun) == 1

        keys.write_text("second-key\n")
        assert client.post("/admin/reload", headers={"X-API-Key": "second-key"}).status_code == 200

        assert wire.ask(headers=["X-API-Key: first-key"])[0] == 401
        assert len(begun) == 1


def test_reloaded_model_answers_at_once(checkpoints):
    """A known head leads to whatever model is served now."""
    app = make_service(checkpoints, load=fake_load, frameworks="jax", api_keys="a-key")
    with running(app) as client, wire_to(client) as wire:
        headers = ["X-API-Key: a-key"]
        before = wire.ask(headers=headers)
        model = app.state.registry.get("jax")
        assert client.post("/admin/reload", headers={"X-API-Key": "a-key"}).status_code == 200
        begun = watch(app)

        after = wire.ask(headers=headers)

        assert app.state.registry.get("jax") is not model
        assert begun
        assert plain(after) == plain(before)


@pytest.mark.parametrize(
    "settings", [{"rate_limit": "5/second"}, {"cors_origins": "https://example.org"}, {"access_log": True}]
)
def test_what_looks_at_each_request_closes_the_hot_path(checkpoints, settings):
    """Rate limits, other origins and the log are the application's business, so that it must see all requests."""
    assert make_service(checkpoints, **settings).hot_path is None


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


def without_id(answer):
    """Return an answer without what tells one error from the next."""
    status, headers, body = answer
    if status == 200:
        return answer
    problem = {name: value for name, value in json.loads(body).items() if name != "request_id"}
    return status, {name: value for name, value in headers.items() if name != "content-length"}, problem
