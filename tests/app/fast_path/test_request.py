"""Requests on the fast path: deadlines, clients that leave, faults, and reloads meanwhile."""

import json

from app.inference.adapters.numpy_adapter import NumpyAdapter, load_numpy
from tests.support.app import MODEL, load_jax_as, make_images, make_service, npy, running, wait_until
from tests.support.clients.fast_path_client import fast_path_of, gated, plain, request, watch, wire_to
from tests.support.clients.metrics_text import read_samples


def test_answer_that_takes_too_long_is_504(checkpoints):
    """The deadline holds, the place in the queue is free again, and the connection goes on."""
    with gated(checkpoints, request_timeout_s=1.5) as (app, adapter, client), wire_to(client) as wire:
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
        assert samples["triptych_requests_total", *labels, ("status", "200")] == 1


def test_client_that_leaves_frees_its_place(checkpoints):
    """A job whose client has disconnected is removed from the queue at once, and counted."""
    with gated(checkpoints) as (app, adapter, client):
        with wire_to(client) as first, wire_to(client) as second:
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


def test_client_that_leaves_before_its_body_is_complete_is_counted(checkpoints):
    """As by the application, with status 499."""
    app = make_service(checkpoints, frameworks="jax")
    with running(app) as client:
        with wire_to(client) as wire:
            wire.sock.sendall(request()[:-10])
            wait_until(lambda: any(connection._waiting for connection in app.state.server._connections))
        labels = ("framework", "jax"), ("route", "/reconstruct"), ("status", "499")
        wait_until(lambda: read_samples(client.get("/metrics").text).get(("triptych_requests_total", *labels)) == 1)


def test_model_that_fails_is_503(checkpoints):
    """A fault of the framework is reported as by the application, and the framework is taken out."""

    class FailingAdapter(NumpyAdapter):
        fails = False

        def reconstruct(self, images, eps):
            if self.fails:
                raise RuntimeError("no")
            return super().reconstruct(images, eps)

    app = make_service(checkpoints, load=load_jax_as(FailingAdapter), frameworks="jax")
    with running(app) as client, wire_to(client) as wire:
        begun = watch(app)
        app.state.registry.get("jax").adapter.fails = True

        status, headers, body = wire.ask()

        assert begun
        assert status == 503
        assert "raised RuntimeError" in json.loads(body)["detail"]
        assert "retry-after" in headers


def test_answer_that_cannot_be_written_is_500(checkpoints, caplog):
    """An unexpected error ends one request, with its ID in the log, and no other."""
    app = make_service(checkpoints, frameworks="jax")
    with running(app) as client, wire_to(client) as wire:
        wire.ask()
        fast_path, begin = fast_path_of(app), fast_path_of(app).begin

        def spoil(*arguments):
            begun = begin(*arguments)
            arguments[0]._prepared = arguments[0]._prepared._replace(operation=None)
            return begun

        fast_path.begin = spoil
        status, headers, _ = wire.ask()
        del fast_path.begin

        assert status == 500
        assert headers["x-request-id"] in caplog.text
        assert wire.ask()[0] == 200


def test_fault_before_the_model_leaves_the_request_to_the_application(checkpoints, monkeypatch):
    """Whatever goes wrong while a request is read, it gets the answer that it would get otherwise."""
    app = make_service(checkpoints, frameworks="jax")

    def fail(*_):
        raise RuntimeError("no")

    with running(app) as client, wire_to(client) as wire:
        begun = watch(app)
        monkeypatch.setattr("app.fast_path.request.Timings", fail)

        assert wire.ask()[0] == 200
        assert not begun


def test_fault_before_the_body_leaves_the_request_to_the_application(checkpoints, monkeypatch):
    """An error while the headers are read is no fault of the client's."""
    app = make_service(checkpoints, frameworks="jax", rate_limit="1/hour")

    def fail(*_):
        raise PermissionError("no")

    with running(app) as client, wire_to(client) as wire:
        monkeypatch.setattr(app.state.registry, "find", fail)

        assert wire.ask()[0] == 500
        assert wire.ask()[0] == 429


def test_key_that_was_taken_away_opens_nothing(checkpoints, tmp_path):
    """Keys are checked on the fast path as they are elsewhere."""
    keys = tmp_path / "keys"
    keys.write_text("first-key\nsecond-key\n")
    app = make_service(checkpoints, frameworks="jax", api_keys_file=keys)
    with running(app) as client, wire_to(client) as wire:
        assert wire.ask(headers=["X-API-Key: wrong-key"])[0] == 401
        assert wire.ask(headers=["X-API-Key: first-key"])[0] == 200

        keys.write_text("second-key\n")
        assert client.post("/admin/reload", headers={"X-API-Key": "second-key"}).status_code == 200

        assert wire.ask(headers=["X-API-Key: first-key"])[0] == 401


def test_rate_limit_counts_each_request_once(checkpoints):
    """A request that the fast path leaves to the application after its check counts once, too."""
    app = make_service(checkpoints, frameworks="jax", rate_limit="4/hour")
    with running(app) as client, wire_to(client) as wire:
        bodies = [npy(make_images(count)) for count in (1, 64, 6, 1, 1)]
        statuses = [wire.ask(body=body)[0] for body in bodies]

    assert statuses == [200, 200, 200, 200, 429]


def test_body_over_a_limit_below_that_of_the_fast_path_is_413(checkpoints):
    """`TRIPTYCH_MAX_BODY_BYTES` holds for small requests too, on the plain routes and on the protocol's."""
    zeros = [0] * MODEL.latent_dim
    tensor = {"name": "latents", "shape": [1, MODEL.latent_dim], "datatype": "FP32", "data": zeros}
    bodies = {"/decode": {"latents": zeros}, "/v2/models/jax-decode/infer": {"inputs": [tensor]}}
    with running(make_service(checkpoints, frameworks="jax", max_body_bytes=1024)) as client:
        statuses = [
            client.post(
                url, content=json.dumps(body).ljust(size), headers={"Content-Type": "application/json"}
            ).status_code
            for url, body in bodies.items()
            for size in (1024, 1025)
        ]

    assert statuses == [200, 413, 200, 413]


def test_access_log_has_each_request(checkpoints, caplog):
    """A line names the route and the status, without the query."""
    app = make_service(checkpoints, frameworks="jax", access_log=True)
    with caplog.at_level("INFO", logger="app.access"), running(app) as client, wire_to(client) as wire:
        begun = watch(app)
        wire.ask("/encode?sample=true")
        wire.ask("/encode", b"")

    assert len(begun) == 2
    lines = [record.getMessage() for record in caplog.records if record.name == "app.access"]
    assert any(line.endswith("POST /encode 200") for line in lines)
    assert any(line.endswith("POST /encode 400") for line in lines)


def test_reloaded_model_answers_at_once(checkpoints):
    """A known head leads to whatever model is served now."""
    app = make_service(checkpoints, load=load_numpy, frameworks="jax", api_keys="a-key")
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
