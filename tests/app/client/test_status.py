"""`python -m app status`, as a process of its own against a real server."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from app.client import Client
from app.inference.adapters.numpy_adapter import load_numpy
from tests.support.app import CHECKOUT, make_service, running
from training.frameworks import FRAMEWORKS


def run(url, *arguments):
    """Run the command and return its result."""
    return subprocess.run(
        [sys.executable, "-m", "app", "status", "--url", url, *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def url(checkpoints):
    """The address of a service whose three frameworks are ready, and that has had three requests to JAX."""
    with running(make_service(checkpoints)) as http, Client(str(http.base_url), framework="jax") as client:
        for _ in range(3):
            client.encode(np.zeros((1, 28, 28), np.float32))
        yield str(http.base_url)


def test_status_of_a_ready_service(url):
    """A plain table on a pipe, a line for each framework, and exit code 0."""
    result = run(url)

    assert result.returncode == 0, result.stderr
    assert "\x1b" not in result.stdout
    for framework in FRAMEWORKS:
        line = next(line for line in result.stdout.splitlines() if line.startswith(framework))
        assert "ready" in line
    assert "jax (default)" in result.stdout
    assert result.stdout.splitlines()[-1].startswith(f"{url}: ready; ")


def test_status_as_json(url):
    """The output has the entries of `/frameworks` and the counts of `/metrics`."""
    result = run(url, "--json")

    document = json.loads(result.stdout)
    frameworks = {entry["framework"]: entry for entry in document["frameworks"]}
    assert document["ready"] is True
    assert set(frameworks) == set(FRAMEWORKS)
    assert frameworks["jax"]["counts"]["requests"] == 3
    assert frameworks["jax"]["counts"]["server_errors"] == 0
    assert frameworks["jax"]["counts"]["mean_ms"] > 0
    assert document["counts"]["requests"] >= 3


def test_status_of_a_service_that_is_not_ready(checkpoints):
    """Exit code 1, with the reason."""

    def load(framework, **options):
        if framework == "pytorch":
            raise RuntimeError("broken")
        return load_numpy(framework, **options)

    with running(make_service(checkpoints, load=load)) as http:
        result = run(str(http.base_url))

    assert result.returncode == 1
    assert "not ready; " in result.stdout
    assert any(line.startswith("pytorch: ") for line in result.stdout.splitlines())


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://", "nonsense"])
def test_status_of_an_unreachable_service(url):
    """Exit code 2 and one line."""
    result = run(url)

    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("error: ")


@pytest.mark.parametrize("key", ["sec\nret", "sec ret", "sec\u20acret"])
def test_key_that_cannot_be_sent_is_not_shown(key):
    """Exit code 2 and one line, without the key."""
    result = run("http://127.0.0.1:1", "--api-key", key)

    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith("error: the API key has other characters than visible ASCII")
    assert "sec" not in result.stderr


def test_status_without_a_reader_is_quiet(url):
    """A pipe whose reader has ended is no error to report."""
    command = [sys.executable, "-m", "app", "status", "--json", "--url", url]
    reading, writing = os.pipe()
    os.close(reading)

    with os.fdopen(writing, "wb") as closed:
        environment = os.environ | {"PYTHONUNBUFFERED": ""}
        result = subprocess.run(
            command, cwd=CHECKOUT, env=environment, stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )

    assert (result.returncode, result.stderr) == (1, "")


def test_status_needs_the_key(checkpoints):
    """Without the API key there is one line that says how to pass it; with it, the status."""
    with running(make_service(checkpoints, frameworks="jax", api_keys="a-key")) as http:
        without_key = run(str(http.base_url))
        with_key = run(str(http.base_url), "--api-key", "a-key")

    assert (without_key.returncode, with_key.returncode) == (2, 0)
    assert "--api-key" in without_key.stderr
