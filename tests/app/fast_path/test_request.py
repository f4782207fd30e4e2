"""What becomes of requests on the hot path: deadlines, clients that leave, faults, and what changes under them."""

import json

import pytest

from app.inference.fake_adapter import FakeAdapter
from tests.hot import gated, plain, request, watch, wire_to
from tests.service import fake_load, load_jax_as, make_service, running, wait_until
from tests.test_service_metrics import read_samples


def test_answer_that_takes_too_long_is_504(checkpoints):
    """The deadline holds, the place in the queue is free again, and the connection goes on."""
    with gated(checkpoints, request_timeout_s=1.5) as (app, adapter, client), wire_to(client) as wire:
        wire.ask()
        begun = watch(app)
        adapter.shut()

        # Longer than the server takes between two looks at its connections.
        status, headers, body = wire.ask()
        adapter.gate.set()

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
        adapter.gate.set()
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


def test_fault_before_the_model_leaves_the_request_to_the_application(checkpoints, monkeypatch):
    """Whatever goes wrong while a request is read, it gets the answer that it would get otherwise."""
    app = make_service(checkpoints, frameworks="jax")

    def fail(*_):
        raise RuntimeError("no")

    with running(app) as client, wire_to(client) as wire:
        wire.ask()
        begun = watch(app)
        monkeypatch.setattr(app.hot_path, "_plan", fail)

        assert wire.ask()[0] == 200
        assert not begun


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
