"""A fourth framework, made of NumPy, added through the table `FRAMEWORKS` alone."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.support.checkpoints import make_checkpoint, make_weights
from tests.support.live_service import CHECKOUT, serving, wait_until_settled
from training.checkpoints.checkpoint import save_checkpoint
from training.config import ModelConfig
from training.frameworks import FRAMEWORKS

ADD = """
import runpy
from training.frameworks import FRAMEWORKS, FrameworkInfo

FRAMEWORKS["numpy"] = FrameworkInfo(
    title="NumPy",
    aliases=("np",),
    modules=("numpy",),
    packages=("numpy",),
    adapter="app.inference.adapters.numpy_adapter:NumpyAdapter",
    trainer=None,
    backend=None,
    own_mode="eager",
    color="#cc79a7",
    marker="D",
)
"""


def command(module, *arguments):
    """Return the command that adds NumPy to the table and runs a module as `python -m` does."""
    return [sys.executable, "-c", f"{ADD}runpy.run_module({module!r}, run_name='__main__', alter_sys=True)", *arguments]


def run(module, *arguments):
    """Run a module to its end, with NumPy in the table."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "COLUMNS": "200"}
    return subprocess.run(
        command(module, *arguments), env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of a service that serves a checkpoint with NumPy and no other framework."""
    folder = tmp_path_factory.mktemp("numpy")
    model = ModelConfig(hidden_dim=8)
    weights = {name: array * np.float32(0.2) for name, array in make_weights(model).items()}
    save_checkpoint(folder / "numpy/model.safetensors", make_checkpoint(model, weights, framework="numpy"))
    options = ["--frameworks", "np", "--checkpoints", str(folder)]
    with serving(*options, log=folder / "log", command=command("app")) as client:
        yield client


def test_fourth_framework_is_shown(client):
    """`/frameworks` has it ready, with the title, color and marker of the table."""
    entry = wait_until_settled(client)["numpy"]

    assert entry["ready"], entry
    assert {name: entry[name] for name in ("title", "color", "marker", "framework_version")} == {
        "title": "NumPy",
        "color": "#cc79a7",
        "marker": "D",
        "framework_version": np.__version__,
    }


@pytest.mark.parametrize("name", ["numpy", "np", "NumPy"])
def test_fourth_framework_serves(client, name):
    """It samples and reconstructs under its name and its alias."""
    wait_until_settled(client)

    samples = client.get("/sample", params={"framework": name, "n": 2, "seed": 1}).json()
    images = client.post(f"/reconstruct?framework={name}", json={"images": samples["probs"]}).json()

    assert samples["framework"] == images["framework"] == "numpy"
    assert np.shape(images["probs"]) == np.shape(samples["probs"])


def test_fourth_framework_is_in_the_schema(client):
    """`/openapi.json` lists it among the values of `framework`."""
    parameters = client.get("/openapi.json").json()["paths"]["/sample"]["get"]["parameters"]

    (schema,) = (parameter["schema"] for parameter in parameters if parameter["name"] == "framework")

    assert schema["enum"] == [*FRAMEWORKS, "numpy"]


def test_page_shows_the_code_of_those_that_train(client):
    """The page's code, side by side, is of the frameworks that have a trainer."""
    response = client.get("/page/code")

    cells = response.json()["definitions"][0]["lines"][0]["cells"]
    assert list(cells) == list(FRAMEWORKS)


@pytest.mark.parametrize(
    "words", [["app", "--help"], ["training", "train", "--help"], ["training", "evaluate", "--help"]]
)
def test_fourth_framework_is_in_the_help(words):
    """The commands list it among the names they take."""
    done = run(*words)

    assert done.returncode == 0, done.stderr
    assert "numpy" in done.stdout


def test_fourth_framework_without_a_trainer_says_so():
    """Training it is refused with the names of those that train."""
    done = run("training", "train", "--framework", "np")

    assert done.returncode == 2
    assert "numpy has no trainer" in done.stderr
    assert ", ".join(FRAMEWORKS) in done.stderr
