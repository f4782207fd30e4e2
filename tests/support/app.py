"""A service for tests: the whole application behind a real server, over adapters of NumPy that load at once."""

import asyncio
import base64
import io
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np

from app.inference.adapters.numpy_adapter import NumpyAdapter, load_numpy
from app.inference.models.registry import Registry
from app.inference.models.state import Status
from app.inference.session import ModelSession
from app.main import create_app
from app.server.http_server import Server
from app.server.sockets import bind_sockets, listen
from app.settings import Settings
from tests.support.checkpoints import make_checkpoint, make_weights
from training.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from training.checkpoints.model_files import ModelFile
from training.checkpoints.snapshots import Snapshot, write_snapshots
from training.config import ModelConfig
from training.frameworks import FRAMEWORKS

# The latents are as long as the examples of the documentation say.
MODEL = ModelConfig(image_shape=(28, 28), hidden_dim=16, latent_dim=20)

CHECKOUT = Path(__file__).parents[2]

PROBLEM_MEMBERS = ["type", "title", "status", "detail", "errors", "request_id"]


def save_checkpoints(folder, model=MODEL):
    """Write a checkpoint for each framework, with weights of its own."""
    for seed, framework in enumerate(FRAMEWORKS):
        weights = {name: array * np.float32(0.2) for name, array in make_weights(model, seed).items()}
        save_checkpoint(checkpoint_path(folder, framework), make_checkpoint(model, weights, framework=framework))
    return folder


def checkpoint_path(folder, framework, name="model"):
    """Return the path of a model's checkpoint."""
    return ModelFile(folder, framework, name).path


def save_snapshots(model, epochs=(0, 5)):
    """Write snapshots of a model's checkpoint, each with other weights, and return their validation ELBOs."""
    checkpoint = load_checkpoint(model.path)
    snapshots = {
        epoch: Snapshot(
            {name: array * np.float32(0.2 + 0.1 * epoch) for name, array in checkpoint.weights.items()}, -200.0 + epoch
        )
        for epoch in epochs
    }
    write_snapshots(model.snapshots, checkpoint.model, snapshots, checkpoint_id=checkpoint.id)
    return {epoch: snapshot.validation_elbo for epoch, snapshot in snapshots.items()}


class GatedAdapter(NumpyAdapter):
    """Computes only once its gate is open, and counts."""

    def __init__(self, checkpoint, *, framework):
        super().__init__(checkpoint, framework=framework)
        self.begun = threading.Event()
        self.gate = threading.Event()
        self.calls = 0

    def shut(self):
        """Let nothing through from now on."""
        self.begun.clear()
        self.gate.clear()

    def decode(self, z):
        """Wait at the gate, then compute."""
        self.calls += 1
        self.begun.set()
        assert self.gate.wait(20)
        return super().decode(z)


def load_jax_as(adapter_type):
    """Return a loader that uses an adapter of that type for JAX, and `load_numpy` for the others."""

    def load(framework, **options):
        checkpoint, adapter = load_numpy(framework, **options)
        return checkpoint, adapter_type(checkpoint, framework="jax") if framework == "jax" else adapter

    return load


def numpy_adapter_of(checkpoints, framework="jax"):
    """Return the adapter that the service of these checkpoints has for a framework."""
    return load_numpy(framework, path=checkpoint_path(checkpoints, framework), device="cpu")[1]


class InlineSession(ModelSession):
    """A session that computes at once, in the caller's thread."""

    def __init__(self, adapter):
        super().__init__(adapter, batcher=None)

    async def run(self, function, *inputs):
        """Return the function's outputs."""
        return function(self.adapter, *inputs)


def compute(task, adapter, *arguments, **options):
    """Return the result of a task of the service on an adapter."""
    return asyncio.run(task(InlineSession(adapter), *arguments, **options))


def run_operation(prepare, adapter, *arguments, **options):
    """Return the result of an operation of the service on an adapter."""
    return asyncio.run(InlineSession(adapter).run_operation(prepare(adapter.model, *arguments, **options)))


def make_service(checkpoints, load=load_numpy, require_installed=lambda framework: None, **changes):
    """Return an application that isn't started, all of whose frameworks count as installed."""
    settings = Settings(checkpoints=checkpoints, **changes)
    return create_app(settings, Registry(settings, load=load, require_installed=require_installed))


def note_calls(monkeypatch, thing, name, called):
    """Set an event when a method of this thing is called."""
    method = getattr(thing, name)

    def call(*arguments):
        called.set()
        return method(*arguments)

    monkeypatch.setattr(thing, name, call)


@contextmanager
def running(app, *, waits=True):
    """Serve an application in a thread and yield a client; by default wait until nothing is loading."""
    sockets = bind_sockets("127.0.0.1", 0)
    listen(sockets)
    port = sockets[0].getsockname()[1]
    server = app.state.server = Server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            client.get("/healthz")
            while waits and any(state.status is Status.LOADING for state in app.state.registry.states):
                time.sleep(0.005)
            yield client
    finally:
        server.stop()
        thread.join()


def wait_until(holds):
    """Return once something holds, which it must within 20 s."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def make_images(count=3, seed=0):
    """Return images of random pixels, flat."""
    return np.random.default_rng(seed).random((count, MODEL.image_dim), np.float32)


def npy(array):
    """Return an array as the bytes of an npy file."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def post_npy(client, url, array, **headers):
    """Post an array as an npy file."""
    return client.post(url, content=npy(array), headers={"Content-Type": "application/x-npy", **headers})


def read_npy(response):
    """Return the array of an npy answer."""
    return np.load(io.BytesIO(response.content))


def read_answer(answers):
    """Return the next answer of a connection's file: status, headers by their names in lower case, and body."""
    status = int(answers.readline().split()[1])
    lines = (line.decode("latin-1").rstrip("\r\n") for line in iter(answers.readline, b"\r\n"))
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return status, headers, answers.read(int(headers["content-length"]))


def to_base64(content):
    """Return bytes in base64."""
    return base64.b64encode(content).decode()


def assert_problem(response, status):
    """Check that the answer is a problem document of that status, which says something and leaks nothing."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert list(problem) == PROBLEM_MEMBERS
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["X-Request-ID"]
    assert len(problem["detail"]) > 20
    for leak in ("Traceback", str(CHECKOUT), "/tmp", "site-packages", " at 0x"):
        assert leak not in response.text
