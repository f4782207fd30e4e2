"""Several models per framework: loaded on demand, unloaded for others, taken out alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from app.inference.adapters.numpy_adapter import NumpyAdapter, load_numpy
from tests.support.app import GatedAdapter, assert_problem, checkpoint_path, make_service, running, wait_until
from tests.support.models.named_models import save_model
from training.checkpoints.checkpoint import load_checkpoint
from training.frameworks import FRAMEWORKS


def statuses(client, framework="jax"):
    """Return the status of each model of a framework, by name."""
    return {m["name"]: m["state"] for m in client.get("/models").json()["models"] if m["framework"] == framework}


def replacing(name, adapter_type):
    """Return a load function whose model of that name has another adapter."""

    def load(framework, *, path, **options):
        checkpoint, adapter = load_numpy(framework, path=path, **options)
        return checkpoint, adapter_type(checkpoint, framework=framework) if path.stem == name else adapter

    return load


class Raising(NumpyAdapter):
    """Raises on every call."""

    def decode(self, z):
        """Raise."""
        raise RuntimeError("broken")


def failing_once(name):
    """Return a load function whose model of that name raises until it is loaded again."""
    loads = []

    def load(framework, *, path, **options):
        loads.extend([path.stem] * (path.stem == name))
        return (replacing(name, Raising) if len(loads) == 1 else load_numpy)(framework, path=path, **options)

    return load


@pytest.mark.parametrize("fast_path", [True, False])
def test_named_model_is_loaded_at_its_first_request(model_folder, fast_path):
    """The first request waits for its model; the response names model, weights and checkpoint, in headers too."""
    with running(make_service(model_folder, fast_path=fast_path)) as client:
        before = statuses(client)
        response = client.post("/decode?framework=jax&model=cats", json={"latents": [[0, 0, 0]]})
        again = client.post("/decode?framework=jax&model=cats", json={"latents": [[0, 0, 0]]})
        after = statuses(client)

    body = response.json()
    expected = load_checkpoint(checkpoint_path(model_folder, "jax", "cats")).sha256[:12]
    assert before == {"model": "ready", "cats": "available", "dogs": "available"}
    assert after == {"model": "ready", "cats": "ready", "dogs": "available"}
    assert (body["model"], body["weights"], body["checkpoint"]) == ("cats", "jax", expected)
    assert response.headers["X-Triptych-Model"] == "cats"
    assert np.shape(body["probs"]) == (1, 4, 9)
    assert again.json() == body


def test_unknown_model_is_404_with_the_known_ones(model_folder):
    """The message lists the framework's models; a name that no model can have is 422."""
    with running(make_service(model_folder)) as client:
        unknown = client.get("/sample?framework=jax&model=birds")
        impossible = client.get("/sample?framework=jax&model=../model")

    assert_problem(unknown, 404)
    assert "model, cats, dogs" in unknown.json()["detail"]
    assert_problem(impossible, 422)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_any_framework_computes_with_anothers_weights(model_folder, framework):
    """With `weights=pytorch` every framework loads PyTorch's checkpoint and gives its pictures."""
    with running(make_service(model_folder)) as client:
        body = client.get(f"/sample?seed=3&framework={framework}&weights=torch").json()
        expected = client.get("/sample?seed=3&framework=pytorch").json()

    assert (body["framework"], body["weights"], body["checkpoint"]) == (framework, "pytorch", expected["checkpoint"])
    np.testing.assert_allclose(body["probs"], expected["probs"], atol=1e-6)


def test_least_recently_used_model_is_unloaded(model_folder):
    """With room for two beside the default, a third replaces the one that wasn't used last."""
    save_model(model_folder, "emus", seed=5)
    with running(make_service(model_folder, frameworks="jax", max_models=3)) as client:
        for name in ("cats", "dogs", "cats", "emus"):
            assert client.get(f"/sample?model={name}").status_code == 200
        states = statuses(client)

    assert states == {"model": "ready", "cats": "ready", "dogs": "available", "emus": "ready"}


def test_failed_model_whose_place_is_taken_is_not_loaded_again(model_folder):
    """It is available again instead, and its next request loads it: never are more models loaded than allowed."""
    app = make_service(model_folder, load=failing_once("cats"), frameworks="jax", max_models=2)
    with running(app) as client:
        broken = client.get("/sample?model=cats").status_code
        other = client.get("/sample?model=dogs").status_code
        wait_until(lambda: statuses(client)["cats"] != "failed")
        states = statuses(client)
        mended = client.get("/sample?model=cats").status_code

    assert (broken, other, mended) == (503, 200, 200)
    assert states == {"model": "ready", "cats": "available", "dogs": "ready"}


def test_failed_model_of_the_start_keeps_its_place(model_folder):
    """While it is out of service, others take turns in the remaining place, and it is loaded again."""
    app = make_service(model_folder, load=failing_once("model"), frameworks="jax", max_models=2)
    with running(app) as client:
        codes = [client.get(f"/sample?model={name}").status_code for name in ("model", "cats", "dogs")]
        wait_until(lambda: statuses(client)["model"] == "ready")
        states = statuses(client)

    assert codes == [503, 200, 200]
    assert states == {"model": "ready", "cats": "available", "dogs": "ready"}


def test_model_with_work_in_hand_is_not_unloaded(model_folder):
    """A model whose room is needed computes its request first; the other model's request waits."""
    load = replacing("cats", GatedAdapter)
    app = make_service(model_folder, load=load, frameworks="jax", max_models=2)
    with running(app) as client, ThreadPoolExecutor() as pool:
        busy = pool.submit(client.get, "/sample?model=cats")
        wait_until(lambda: statuses(client)["cats"] == "ready")
        adapter = app.state.registry.get("jax", "cats").adapter
        assert adapter.begun.wait(20)
        waiting = pool.submit(client.get, "/sample?model=dogs")
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
        busy_status = statuses(client)["cats"]
        adapter.gate.set()
        codes = busy.result(20).status_code, waiting.result(20).status_code
        after = statuses(client)

    assert busy_status == "ready"
    assert codes == (200, 200)
    assert after == {"model": "ready", "cats": "available", "dogs": "ready"}


def test_models_of_the_start_stay_loaded(model_folder):
    """If they take all the room, another model is 503 and the message names the setting."""
    with running(make_service(model_folder, frameworks="jax", models="cats,dogs", max_models=2)) as client:
        response = client.get("/sample?model=model")
        default = client.get("/sample").json()["model"]

    assert_problem(response, 503)
    assert "TRIPTYCH_MAX_MODELS" in response.json()["detail"]
    assert default == "cats"


def test_model_that_raises_is_taken_out_alone(model_folder):
    """Its requests are 503; the framework's other models, its queue and readiness go on."""
    with running(make_service(model_folder, load=replacing("cats", Raising))) as client:
        first = client.get("/sample?model=cats&framework=jax")
        second = client.get("/sample?model=cats&framework=jax")
        others = [client.get(f"/sample?model={name}&framework=jax").status_code for name in ("model", "dogs")]
        readiness = client.get("/readyz").status_code

    for response in (first, second):
        assert_problem(response, 503)
        assert "jax/cats is out of service" in response.json()["detail"]
    assert others == [200, 200]
    assert readiness == 200


def test_model_that_hangs_is_taken_out_alone(model_folder):
    """Requests for other models that wait behind the hanging batch are computed by a new thread."""
    load = replacing("cats", GatedAdapter)
    app = make_service(model_folder, load=load, frameworks="jax", hang_timeout_s=0.5)
    with running(app) as client, ThreadPoolExecutor() as pool:
        hanging = pool.submit(client.get, "/sample?model=cats")
        wait_until(lambda: statuses(client)["cats"] == "ready")
        adapter = app.state.registry.get("jax", "cats").adapter
        assert adapter.begun.wait(20)
        other = client.get("/sample")
        response = hanging.result(20)
        adapter.gate.set()

    assert other.status_code == 200
    assert_problem(response, 503)
    assert "a batch has taken over" in response.json()["detail"]


def test_first_request_waits_until_its_deadline(model_folder):
    """A model that loads too slowly is 504; loading goes on, and a later request is served."""
    loading = threading.Event()

    def load(framework, *, path, **options):
        if path.stem == "cats":
            assert loading.wait(20)
        return load_numpy(framework, path=path, **options)

    with running(make_service(model_folder, load=load, frameworks="jax")) as client:
        late = client.get("/sample?model=cats", headers={"X-Request-Timeout": "0.2"})
        loading.set()
        served = client.get("/sample?model=cats")

    assert_problem(late, 504)
    assert served.status_code == 200


def test_model_that_fails_to_load_is_tried_again(model_folder):
    """A torn file is 503 without a path; once it is whole, the next request is served."""
    path = checkpoint_path(model_folder, "jax", "cats")
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    with running(make_service(model_folder)) as client:
        torn = client.get("/sample?model=cats&framework=jax")
        path.write_bytes(content)
        restored = client.get("/sample?model=cats&framework=jax")

    assert_problem(torn, 503)
    assert "jax/cats.safetensors" in torn.json()["detail"]
    assert restored.status_code == 200


def test_batches_never_mix_models(model_folder):
    """Concurrent requests to two models of one shape each get their own model's result."""
    with running(make_service(model_folder, frameworks="jax")) as client, ThreadPoolExecutor(8) as pool:
        names = ["cats", "dogs"] * 40
        alone = {name: client.get(f"/sample?seed=1&model={name}").json()["probs"] for name in ("cats", "dogs")}
        together = list(pool.map(lambda name: client.get(f"/sample?seed=1&model={name}").json()["probs"], names))

    assert alone["cats"] != alone["dogs"]
    for name, probs in zip(names, together, strict=True):
        np.testing.assert_allclose(probs, alone[name], atol=1e-5)
