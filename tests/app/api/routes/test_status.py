"""Status routes while frameworks load, are broken, or aren't installed."""

import os
import threading

import numpy as np
import pytest

from app.inference.adapters.numpy_adapter import load_numpy
from tests.support.app import MODEL, assert_problem, checkpoint_path, make_service, running, save_checkpoints
from tests.support.checkpoints import make_checkpoint
from training.checkpoints.checkpoint import load_checkpoint
from training.errors import DeviceError, FrameworkNotInstalledError
from training.frameworks import FRAMEWORKS

INSTALL = "tensorflow is not installed: run `pip install 'triptych[tensorflow]'`"


def without_tensorflow(framework):
    """Say that TensorFlow isn't installed."""
    if framework == "tensorflow":
        raise FrameworkNotInstalledError(INSTALL)


def failing_load(error, framework="pytorch"):
    """Return a loader that raises an error for one framework."""

    def load(name, **options):
        if name == framework:
            raise error
        return load_numpy(name, **options)

    return load


@pytest.fixture
def gate():
    """An event that opens at the end of the test at the latest."""
    event = threading.Event()
    yield event
    event.set()


def gated_load(gate, framework="pytorch"):
    """Return a loader that waits for the gate with one framework."""

    def load(name, **options):
        if name == framework:
            gate.wait(20)
        return load_numpy(name, **options)

    return load


def view(client, framework):
    """Return what `/frameworks` says of a framework."""
    return next(item for item in client.get("/frameworks").json()["frameworks"] if item["framework"] == framework)


def test_frameworks_tells_all_of_a_ready_framework(client, checkpoints):
    """A ready framework is shown with device, checkpoint, architecture, metrics, and its training but the command."""
    sha256 = load_checkpoint(checkpoint_path(checkpoints, "pytorch")).sha256

    entry = view(client, "pytorch")

    assert entry.pop("load_seconds") >= 0
    assert entry.pop("pid") == os.getpid()
    assert entry == {
        "framework": "pytorch",
        "title": "PyTorch",
        "color": "#009e73",
        "marker": "^",
        "status": "ready",
        "ready": True,
        "reason": None,
        "framework_version": np.__version__,
        "device": "cpu",
        "device_name": None,
        "device_memory_bytes": None,
        "max_batch": 256,
        "threads": 1,
        "restarts": 0,
        "checkpoint": sha256[:12],
        "model": {"image_shape": [28, 28], "hidden_dim": 16, "latent_dim": 20},
        "training": {
            "framework": "pytorch",
            "framework_version": "1.2.3",
            "epochs": 3,
        },
        "metrics": {"test_elbo": -99.5, "target": "fixed"},
    }


def test_frameworks_are_in_the_order_of_the_settings(checkpoints):
    """The first of the settings is the first shown, and the default."""
    with running(make_service(checkpoints, frameworks="torch,jax")) as client:
        answer = client.get("/frameworks").json()

    assert answer["default"] == "pytorch"
    assert [item["framework"] for item in answer["frameworks"]] == ["pytorch", "jax"]


def test_default_framework_answers_where_none_is_named(checkpoints):
    """The setting decides who answers."""
    with running(make_service(checkpoints, default_framework="tf")) as client:
        answer = client.get("/sample").json()

    assert answer["framework"] == "tensorflow"


def test_first_installed_framework_is_the_default(checkpoints):
    """If the first framework of the settings isn't installed, the next one is the default."""
    app = make_service(checkpoints, frameworks="tensorflow,pytorch", require_installed=without_tensorflow)

    with running(app) as client:
        answer = client.get("/sample").json()

    assert answer["framework"] == "pytorch"


def test_framework_that_is_not_installed_says_how_to_install_it(checkpoints):
    """It is 503 with the install command, and doesn't keep the service from being ready."""
    with running(make_service(checkpoints, require_installed=without_tensorflow)) as client:
        entry, response = view(client, "tensorflow"), client.get("/sample?framework=tf")
        readiness = client.get("/readyz").status_code

    assert (entry["status"], entry["ready"], entry["reason"]) == ("not_installed", False, INSTALL)
    assert_problem(response, 503)
    assert "pip install 'triptych[tensorflow]'" in response.json()["detail"]
    assert readiness == 200


@pytest.mark.parametrize("error", [DeviceError("pytorch finds no GPU: set TRIPTYCH_DEVICE=cpu"), OSError(2, "/tmp/x")])
def test_framework_that_fails_to_load_leaves_the_others_serving(checkpoints, error):
    """It is 503 and says why, without more than the name of an error that nobody foresaw; the others answer."""
    with running(make_service(checkpoints, load=failing_load(error))) as client:
        entry = view(client, "pytorch")
        responses = {name: client.get(f"/sample?framework={name}") for name in FRAMEWORKS}
        readiness = client.get("/readyz")

    assert (entry["status"], entry["ready"]) == ("failed", False)
    assert_problem(responses["pytorch"], 503)
    assert_problem(readiness, 503)
    assert entry["reason"] in readiness.json()["detail"]
    assert responses["jax"].status_code == responses["tensorflow"].status_code == 200


def test_broken_checkpoint_is_told_without_its_folder(tmp_path):
    """A truncated file makes its framework 503, with the tensor's or file's trouble but not the server's folder."""
    path = checkpoint_path(save_checkpoints(tmp_path), "jax")
    path.write_bytes(path.read_bytes()[:-10])

    with running(make_service(tmp_path)) as client:
        response, other = client.get("/sample?framework=jax"), client.get("/sample?framework=tensorflow")

    assert_problem(response, 503)
    assert "jax/model.safetensors: " in response.json()["detail"]
    assert str(tmp_path) not in response.text
    assert other.status_code == 200


def test_metrics_that_json_cannot_hold_are_null(tmp_path):
    """A NaN among a checkpoint's metrics doesn't break `/frameworks`."""
    save_checkpoints(tmp_path)

    def load(framework, **options):
        _, adapter = load_numpy(framework, **options)
        return make_checkpoint(MODEL, metrics={"loss": float("nan")}), adapter

    with running(make_service(tmp_path, load=load, frameworks="jax")) as client:
        metrics = view(client, "jax")["metrics"]

    assert metrics == {"loss": None}


def test_healthz_answers_while_a_framework_loads(checkpoints, gate):
    """The server is alive, whatever its models do."""
    with running(make_service(checkpoints, load=gated_load(gate)), waits=False) as client:
        response = client.get("/healthz")
        gate.set()

    assert response.json() == {"status": "ok"}


def test_framework_is_ready_on_its_own(checkpoints, gate):
    """While one framework loads, it is 503 for a short time and the others answer; then it answers too."""
    app = make_service(checkpoints, load=gated_load(gate))

    with running(app, waits=False) as client:
        early = client.get("/sample?framework=pytorch")
        not_ready, others_ready = client.get("/readyz"), wait_until_ready(client, "jax")
        gate.set()
        ready = wait_until_ready(client, "pytorch")
        late = client.get("/sample?framework=pytorch")

    assert_problem(early, 503)
    assert early.headers["Retry-After"] == "2"
    assert_problem(not_ready, 503)
    assert "Retry-After" in not_ready.headers
    assert others_ready.json() == {"status": "ready", "frameworks": ["jax"]}
    assert ready.status_code == 200
    assert late.status_code == 200


def wait_until_ready(client, framework):
    """Ask until a framework is ready."""
    response = client.get(f"/readyz?framework={framework}")
    while response.status_code != 200:
        response = client.get(f"/readyz?framework={framework}")
    return response


def test_framework_that_is_not_configured_is_unavailable(checkpoints):
    """A known framework that this server isn't set to load is 503, and the answer says which are."""
    with running(make_service(checkpoints, frameworks="jax,tensorflow")) as client:
        response, readiness = client.get("/sample?framework=torch"), client.get("/readyz?framework=torch")

    assert_problem(response, 503)
    assert_problem(readiness, 503)
    assert "jax, tensorflow" in response.json()["detail"]


@pytest.mark.parametrize(
    "url", ["/readyz?framework=caffe", "/readyz?frameworks=jax", "/frameworks?x=1", "/healthz?x=1", "/metrics?x=1"]
)
def test_wrong_parameter_of_a_status_route_is_named(client, url):
    """Unknown frameworks and parameters are 422 here as well."""
    assert_problem(client.get(url), 422)
