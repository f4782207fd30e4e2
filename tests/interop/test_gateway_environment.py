"""A gateway in an environment without any framework: `pip install triptych` alone, before a real backend."""

import subprocess

import httpx
import numpy as np

from tests.support.deployment.tool_environments import python_tools
from tests.support.live_service import CHECKOUT, kept_port, wait_until_answers


def test_gateway_needs_no_framework(service, tmp_path):
    """The responses are the backend's; no framework can be imported, and the environment is small."""
    tools = python_tools("gateway", f"triptych @ file://{CHECKOUT}")
    listed = subprocess.run([tools / "pip", "list"], capture_output=True, text=True, check=True).stdout.split()
    assert not {"jax", "torch", "tensorflow", "tensorflow-cpu", "keras", "flax"} & set(listed)
    images = np.random.default_rng(0).random((2, 784), dtype=np.float32).tolist()
    path = "/reconstruct?framework=pytorch&seed=7"
    expected = service.client.post(path, json={"images": images}).json()

    with kept_port() as port, (tmp_path / "log").open("w") as log:
        backend = ["--backends", f"pytorch={service.url}", "--backend-key", service.key]
        process = subprocess.Popen(
            [tools / "python", "-m", "app", "--port", str(port), "--frameworks", "pytorch", *backend],
            cwd=CHECKOUT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                wait_until_answers(client, process, tmp_path / "log")
                while client.get("/readyz").status_code != 200:
                    assert process.poll() is None, (tmp_path / "log").read_text()
                response = client.post(path, json={"images": images}).json()
        finally:
            process.terminate()
            process.wait(timeout=30)

    assert response == expected
