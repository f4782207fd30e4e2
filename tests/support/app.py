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

from app.inference import tasks
from app.inference.fake_adapter import FakeAdapter
from app.inference.loader import checkpoint_path
from app.inference.registry import Registry
from app.inference.states import Status
from app.main import create_app
from app.server import Server
from app.settings import Settings
from app.sockets import open_sockets
from tests.checkpoints import make_checkpoint, make_weights
from training.checkpoint import load_checkpoint, save_checkpoint
from training.config import ModelConfig
from training.frameworks import FRAMEWORKS

# The latents are as long as the examples of the documentation say.
MODEL = ModelConfig(image_shape=(28, 28), hidden_dim=16, latent_dim=20)

CHECKOUT = Path(__file__).parents[1]

PROBLEM_MEMBERS = ["type", "title", "status", "detail", "errors", "request_id"]


def save_checkpoints(folder, model=MODEL):
    """Write a checkpoint for each framework, with weights of its own."""
    for seed, framework in enumerate(FRAMEWORKS):
        weights = {name: array * np.float32(0.2) for name, array in make_weights(model, seed).items()}
        save_checkpoint(checkpoint_path(folder, framework), make_checkpoint(model, weights, framework=framework))
    return folder


def fake_load(framework, *, checkpoints, device):
    """Load a framework's checkpoint into NumPy."""
    checkpoint = load_checkpoint(checkpoint_path(checkpoints, framework))
    return checkpoint, FakeAdapter(checkpoint, framework=framework)


class GatedAdapter(FakeAdapter):
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
    """Return what loads JAX into an adapter of that type, and the others as `fake_load` does."""

    def load(framework, **options):
        checkpoint, adapter = fake_load(framework, **options)
        return checkpoint, adapter_type(checkpoint, framework="jax") if framework == "jax" else adapter

    return load


def fake_adapter(checkpoints, framework="jax"):
    """Return the adapter that the service of these checkpoints has for a framework."""
    return fake_load(framework, checkpoints=checkpoints, device="cpu")[1]


class InlineComputation:
    """A model that computes at once, in the caller's thread."""

    def __init__(self, adapter):
        self.adapter = adapter

    async def run(self, operation, *inputs):
        """Return the operation's outputs."""
        return operation(self.adapter, *inputs)


def compute(task, adapter, *arguments, **options):
    """Return what a task of the service comes to on an adapter."""
    return asyncio.run(task(InlineComputation(adapter), *arguments, **options))


def carry_out(plan, adapter, *arguments, **options):
    """Return what a plan of the service comes to on an adapter."""
    return compute(tasks.carry_out, adapter, plan(adapter.model, *arguments, **options))


def make_service(checkpoints, load=fake_load, require_installed=lambda framework: None, **changes):
    """Return an application that isn't started, all of whose frameworks count as installed."""
    settings = Settings(checkpoints=checkpoints, **changes)
    return create_app(settings, Registry(settings, load=load, require_installed=require_installed))


@contextmanager
def running(app, *, waits=True):
    """Serve an application in a thread and give a client of it, once nothing loads any more unless told not to wait."""
    sockets = open_sockets("127.0.0.1", 0)
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
    """Return an array as the bytes of a npy file."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def post_npy(client, url, array, **headers):
    """Post an array as a npy file."""
    return client.post(url, content=npy(array), headers={"Content-Type": "application/x-npy", **headers})


def read_npy(response):
    """Return the array of a npy answer."""
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
