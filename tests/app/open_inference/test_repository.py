"""Models that are loaded and unloaded by request, while others are served."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.inference.adapters.numpy_adapter import load_numpy
from tests.support.app import MODEL, checkpoint_path, make_service, note_calls, running, save_checkpoints
from tests.support.checkpoints import make_checkpoint, make_weights
from tests.support.clients.inference_protocol import make_body, make_inputs
from tests.support.models.named_models import save_model
from training.checkpoints.checkpoint import save_checkpoint

BODY, LENGTH = make_body(make_inputs("encode"))


@pytest.fixture
def folder(tmp_path):
    """A folder of checkpoints that may be changed."""
    return save_checkpoints(tmp_path)


@pytest.fixture
def service(folder):
    """A client of a service that may load and unload."""
    with running(make_service(folder, model_control_mode="explicit")) as client:
        yield client


def infer(client, name):
    """Return the response of an encoder."""
    return client.post(f"/v2/models/{name}/infer", content=BODY, headers={"Inference-Header-Content-Length": LENGTH})


def control(client, name, action, **members):
    """Load or unload a model."""
    return client.post(f"/v2/repository/models/{name}/{action}", json=members)


def states(client):
    """Return each model's state of the index."""
    return {entry["name"]: entry["state"] for entry in client.post("/v2/repository/index").json()}


def test_unloaded_models_are_unavailable_until_they_are_loaded(service):
    """All models of a framework go together; the others stay."""
    unloaded = control(service, "jax-encode", "unload", parameters={"unload_dependents": False})
    during = [infer(service, "jax-decode"), service.get("/v2/models/jax-score/ready"), service.get("/readyz")]
    plain = service.get("/sample?framework=jax")
    index = states(service)
    other = infer(service, "pytorch-encode")
    loaded = control(service, "jax-encode", "load")

    assert (unloaded.status_code, unloaded.content) == (200, b"")
    assert [response.status_code for response in during] == [503, 503, 503]
    assert plain.status_code == 503
    assert int(during[0].headers["Retry-After"]) > 0
    assert "unloaded" in during[0].json()["error"]
    assert {name for name, state in index.items() if state == "UNAVAILABLE"} == {
        name for name in index if name.startswith("jax-")
    }
    assert other.status_code == 200
    assert (loaded.status_code, loaded.content) == (200, b"")
    assert infer(service, "jax-encode").status_code == 200
    assert set(states(service).values()) == {"READY"}


def test_load_serves_what_the_file_holds_now(service, folder):
    """A new checkpoint is served once the model is loaded."""
    before = infer(service, "jax-encode").json()["parameters"]["checkpoint"]
    checkpoint = make_checkpoint(MODEL, make_weights(MODEL, 77), framework="jax")
    save_checkpoint(checkpoint_path(folder, "jax"), checkpoint)

    control(service, "jax-score", "load")

    assert infer(service, "jax-encode").json()["parameters"]["checkpoint"] != before


def test_load_of_a_broken_file_is_503_and_changes_nothing(service, folder):
    """The model that was served goes on."""
    checkpoint_path(folder, "jax").write_bytes(b"nonsense")

    response = control(service, "jax-encode", "load")

    assert response.status_code == 503
    assert "still served" in response.json()["error"]
    assert infer(service, "jax-encode").status_code == 200


@pytest.mark.parametrize("action", ["load", "unload"])
def test_model_that_does_not_exist_changes_nothing(folder, action):
    """It is not found, isn't listed afterwards, and no other model makes room for it."""
    save_model(folder, "cats", model=MODEL)
    settings = {"model_control_mode": "explicit", "frameworks": "jax", "max_models": 2}
    with running(make_service(folder, **settings)) as client:
        client.get("/sample?framework=jax&model=cats")
        response = control(client, "jax-encode-birds", action)
        models = {model["name"]: model["state"] for model in client.get("/models").json()["models"]}

    assert response.status_code == 404
    assert "has no model 'birds'" in response.json()["error"]
    assert models == {"model": "ready", "cats": "ready"}


@pytest.mark.parametrize(
    ("action", "members"),
    [
        ("load", {"parameters": {"config": "{}"}}),
        ("load", {"parameters": []}),
        ("unload", {"parameters": {"unload_dependents": 1}}),
        ("unload", {"parameters": {"force": True}}),
    ],
)
def test_parameters_that_are_not_supported_are_refused(service, action, members):
    """A configuration or a file of the client's own is never loaded."""
    response = control(service, "jax-encode", action, **members)

    assert response.status_code == 400
    assert infer(service, "jax-encode").status_code == 200


def test_no_request_fails_while_models_are_loaded_again(service):
    """Requests that have begun end with their model, and later ones have the next."""
    statuses = []
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            statuses.append(infer(service, "jax-encode").status_code)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        assert control(service, "jax-encode", "load").status_code == 200
    stop.set()
    for thread in threads:
        thread.join()

    assert set(statuses) == {200}


def test_model_that_is_unloaded_while_a_request_loads_it_is_not_served_afterwards(folder, monkeypatch):
    """Its load waits for another's, and has ended when the unload is over."""
    for name in ("cats", "dogs"):
        save_model(folder, name, model=MODEL)
    has_begun, may_end, waits, unloads = (threading.Event() for _ in range(4))

    def load(framework, *, path, **options):
        if path.stem == "cats":
            has_begun.set()
            assert may_end.wait(20)
        return load_numpy(framework, path=path, **options)

    app = make_service(folder, load=load, frameworks="jax", model_control_mode="explicit")
    with running(app) as client, ThreadPoolExecutor() as threads:
        cats = threads.submit(infer, client, "jax-encode-cats")
        assert has_begun.wait(20)
        note_calls(monkeypatch, app.state.registry, "load", waits)
        dogs = threads.submit(infer, client, "jax-encode-dogs")
        assert waits.wait(20)
        note_calls(monkeypatch, app.state.registry, "unload", unloads)
        unloaded = threads.submit(control, client, "jax-encode-dogs", "unload")
        assert unloads.wait(20)
        may_end.set()
        assert (cats.result().status_code, unloaded.result().status_code) == (200, 200)
        dogs.result()
        state = states(client)["jax-encode-dogs"]

    assert state == "UNAVAILABLE"


def test_reload_of_all_leaves_what_was_unloaded(folder):
    """A reload of everything doesn't load a model that a client has unloaded."""
    with running(make_service(folder, model_control_mode="explicit", api_keys="k3y")) as client:
        client.headers["X-API-Key"] = "k3y"
        control(client, "jax-encode", "unload")
        reloaded = client.post("/admin/reload").json()["reloaded"]

        assert set(reloaded) == {"tensorflow", "pytorch"}
        assert infer(client, "jax-encode").status_code == 503
