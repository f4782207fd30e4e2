"""A gateway before NVIDIA's Triton: six models as NumPy functions, served by pytriton, behind the remote adapter."""

import os
import signal
import subprocess
import sysconfig
import time
from contextlib import contextmanager, suppress

import httpx
import numpy as np
import pytest

from app.settings import CHECKPOINTS
from tests.support.deployment.tool_environments import python_tools
from tests.support.live_service import CHECKOUT, kept_port, serving
from training import numpy_model
from training.checkpoints.checkpoint import load_checkpoint
from training.checkpoints.model_files import ModelFile

SERVED = ("jax", "pytorch")

PROGRAM = CHECKOUT / "tests" / "interop" / "programs" / "pytriton_backend.py"

IMAGES = np.random.default_rng(1).random((3, 784), dtype=np.float32)


def weights_of(framework):
    """Return the weights of the committed checkpoint."""
    return load_checkpoint(ModelFile(CHECKPOINTS, framework).path).weights


@contextmanager
def triton_backend(folder, port):
    """Run pytriton's server with the models of two frameworks until the end of the context."""
    tools = python_tools("pytriton", "nvidia-pytriton==0.7.0")
    pairs = []
    for framework in SERVED:
        np.savez(folder / f"{framework}.npz", **weights_of(framework))
        pairs.append(f"{framework}={folder / framework}.npz")
    with (folder / "log").open("a") as log:
        # pytriton looks for Python in the path, and would load the system's libpython instead of that Python's. Its
        # processes are one group.
        process = subprocess.Popen(
            [tools / "python", PROGRAM, str(port), *pairs],
            env={
                "PATH": f"{tools}:{os.environ['PATH']}",
                "HOME": str(folder),
                "LD_LIBRARY_PATH": sysconfig.get_config_var("LIBDIR"),
            },
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not all(is_ready(f"http://127.0.0.1:{port}/v2/models/{framework}-vae/ready") for framework in SERVED):
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.2)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)


def is_ready(url):
    """Return whether a model of Triton is ready."""
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def reconstruct(client, framework):
    """Return the response to a reconstruction."""
    return client.post(f"/reconstruct?framework={framework}&seed=7", json={"images": IMAGES.tolist()})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder for weights and logs."""
    return tmp_path_factory.mktemp("pytriton")


@pytest.fixture(scope="module")
def port():
    """The port of the backend, kept while it is down."""
    with kept_port() as port:
        yield port


@pytest.fixture(scope="module")
def gateway(folder, port):
    """A client of a gateway that has started before its backend."""
    pairs = ",".join(f"{framework}=http://127.0.0.1:{port}" for framework in SERVED)
    with serving("--frameworks", ",".join(SERVED), "--backends", pairs, log=folder / "gateway.log") as client:
        yield client


def test_gateway_serves_the_models_of_triton(folder, port, gateway):
    """Every route computes what the model does in NumPy, with the seed's noise, whichever framework's weights."""
    noise = np.random.Generator(np.random.Philox(key=7)).standard_normal((3, 20), dtype=np.float32)
    with triton_backend(folder, port):
        while gateway.get("/readyz").status_code != 200:
            time.sleep(0.1)
        for framework in SERVED:
            weights = weights_of(framework)
            mean, logvar = numpy_model.encode(weights, IMAGES)
            probs = numpy_model.sigmoid(numpy_model.decode(weights, mean + noise * np.exp(logvar / 2)))

            response = reconstruct(gateway, framework).json()
            sample = gateway.get(f"/sample?framework={framework}&n=300&seed=7").json()

            np.testing.assert_allclose(np.reshape(response["probs"], (3, 784)), probs, atol=1e-5)
            np.testing.assert_allclose(response["mean"], mean, atol=1e-4)
            drawn = numpy_model.sigmoid(numpy_model.decode(weights, np.array(sample["latents"], np.float32)))
            np.testing.assert_allclose(np.reshape(sample["probs"], (300, 784)), drawn, atol=1e-5)
            assert (response["framework"], response["device"], response["checkpoint"]) == (framework, "remote", None)
        compared = gateway.post("/compare", json={"images": IMAGES.tolist()}).json()

    assert set(compared["results"]) == set(SERVED)
