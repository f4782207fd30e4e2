"""The service with the real frameworks and the committed checkpoints, in a process of its own."""

import io
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from app.inference import operations
from app.inference.adapters.numpy_adapter import NumpyAdapter
from tests.support.app import npy, post_npy, read_npy, run_operation
from tests.support.live_service import CHECKOUT, serving, wait_until_settled
from training.checkpoints.checkpoint import load_checkpoint
from training.data import TEST_SEED, binarize, load_dataset
from training.frameworks import FRAMEWORKS

CHECKPOINTS = CHECKOUT / "checkpoints"


@pytest.fixture(scope="module")
def images():
    """Test digits."""
    return binarize(load_dataset("mnist").test[:40], target="fixed", seed=TEST_SEED)


def committed(framework):
    """Return a committed checkpoint."""
    return load_checkpoint(CHECKPOINTS / framework / "model.safetensors")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_committed_checkpoint_is_trained_as_the_readme_claims(framework):
    """It was trained by its own framework for 30 epochs or more to a test -ELBO of 100 nats or less, and says how."""
    checkpoint = committed(framework)

    assert checkpoint.framework == framework
    assert checkpoint.training["epochs"] >= 30
    assert checkpoint.metrics["test_target"] == "fixed"
    assert -checkpoint.metrics["test_elbo"] <= 100
    assert f"python -m training train --framework {framework} " in checkpoint.training["command"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_answers_are_those_of_the_checkpoint(live_client, images, framework):
    """Reconstruction, ELBO and latents are what NumPy computes from the same file and seed."""
    expected = run_operation(
        operations.reconstruct, NumpyAdapter(committed(framework), framework=framework), images, seed=7
    )

    answer = live_client.post(
        f"/reconstruct?framework={framework}&seed=7",
        content=npy(images),
        headers={"Content-Type": "application/x-npy"},
    ).json()

    assert answer["framework"] == framework
    for name, array in expected.items():
        np.testing.assert_allclose(answer[name], array, rtol=1e-5, atol=1e-5, err_msg=name)
    assert np.mean(answer["elbo"]) == pytest.approx(committed(framework).metrics["test_elbo"], abs=20)


def test_seed_gives_the_same_latents_in_every_framework(live_client, images):
    """`/sample` draws the same z, bit for bit, and `/encode` the same noise, to rounding."""
    drawn = [live_client.get(f"/sample?framework={name}&n=5&seed=7").json()["latents"] for name in FRAMEWORKS]
    encoded = [
        live_client.post(
            f"/encode?framework={name}&sample=true&seed=7",
            content=npy(images[:5]),
            headers={"Content-Type": "application/x-npy"},
        ).json()
        for name in FRAMEWORKS
    ]
    noise = [
        (np.array(answer["latents"]) - answer["mean"]) / np.exp(np.array(answer["logvar"]) / 2) for answer in encoded
    ]

    assert drawn[0] == drawn[1] == drawn[2]
    np.testing.assert_allclose(noise[0], drawn[0], atol=1e-4)
    np.testing.assert_allclose(noise[1], drawn[0], atol=1e-4)
    np.testing.assert_allclose(noise[2], drawn[0], atol=1e-4)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_samples_look_like_digits(live_client, framework):
    """A grid of 16 samples is a PNG of 4 by 4 cells: white strokes, in all but a faint one or two, on a free border."""
    content = live_client.get(f"/sample?framework={framework}&n=16&seed=7&format=png").content
    with Image.open(io.BytesIO(content)) as picture:
        pixels = np.asarray(picture)

    assert pixels.shape == (4 * 28 + 3 * 2, 4 * 28 + 3 * 2)
    cells = [pixels[top : top + 28, left : left + 28] for top in range(0, 120, 30) for left in range(0, 120, 30)]
    inked = [(cell > 127).mean() for cell in cells]
    assert sum(share > 0.03 for share in inked) >= 14
    assert max(inked) < 0.4
    assert all((cell[:2] < 64).all() for cell in cells)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_photo_is_reconstructed_upright_and_light_on_dark(live_client, framework):
    """A large photo, stored sideways, dark on light, comes back as what it shows: a 3, with no stroke at its left."""
    photo = (CHECKOUT / "docs" / "images" / "photo.jpg").read_bytes()

    answer = live_client.post(
        f"/reconstruct?framework={framework}&invert=true&seed=0&format=npy",
        content=photo,
        headers={"Content-Type": "image/jpeg"},
    )

    probs = read_npy(answer)[0]
    assert probs[5:24, 9:20].mean() > 0.2
    assert probs[:, :6].mean() < 0.02
    assert probs[13:16, 4:10].mean() < probs[13:16, 13:20].mean()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_nothing_is_compiled_once_a_framework_is_ready(live_client, images, framework):
    """Whatever route is asked, and for however many images, no request waits for a compilation."""
    latents = np.zeros((300, 20), np.float32)
    bodies = [
        *(("/reconstruct", np.tile(images, (8, 1))[:count]) for count in (1, 3, 17, 50, 300)),
        ("/encode?sample=true", images[:5]),
        ("/decode", latents),
        ("/score", images[:7]),
        ("/score?samples=90", images[:7]),
        ("/interpolate?steps=33", images[:2]),
        ("/compare", images[:9]),
    ]

    for path, array in bodies:
        chosen = "" if path == "/compare" else f"{'&' if '?' in path else '?'}framework={framework}"
        post_npy(live_client, path + chosen, array).raise_for_status()
    live_client.get(f"/sample?framework={framework}&n=70").raise_for_status()
    frameworks = live_client.get("/frameworks").json()["frameworks"]
    time.sleep(0.6)  # the service counts four times a second

    lines = live_client.get("/metrics").text.splitlines()
    assert f'triptych_compilations_after_warmup{{framework="{framework}"}} 0.0' in lines
    assert next(entry for entry in frameworks if entry["framework"] == framework)["threads"] >= 1


def test_unlike_callers_get_their_own_answers(live_client, images):
    """Forty callers at once, each with another image, framework and seed, get what each gets alone."""

    def ask(index):
        url = f"/reconstruct?framework={list(FRAMEWORKS)[index % 3]}&seed={index}&format=npy"
        return read_npy(post_npy(live_client, url, images[index]))

    alone = [ask(index) for index in range(40)]
    with ThreadPoolExecutor(20) as pool:
        together = list(pool.map(ask, range(40)))

    for index in range(40):
        np.testing.assert_allclose(together[index], alone[index], atol=1e-5)
        assert index == 0 or abs(alone[index] - alone[index - 1]).max() > 0.1


@pytest.mark.parametrize("count", [1, 3, 40])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_image_is_answered_alike_in_any_batch(live_client, images, framework, count):
    """The first image's answer is the same within 1e-5 whatever else is in its batch."""
    url = f"/reconstruct?framework={framework}&seed=1&format=npy"

    alone = read_npy(post_npy(live_client, url, images[:1]))
    batched = read_npy(post_npy(live_client, url, images[:count]))

    np.testing.assert_allclose(batched[0], alone[0], atol=1e-5)


def test_truncated_checkpoint_leaves_the_others_serving(tmp_path):
    """One broken file: its framework says why, by name and not by folder, and the other two answer."""
    shutil.copytree(CHECKPOINTS, tmp_path / "checkpoints")
    broken = tmp_path / "checkpoints" / "jax" / "model.safetensors"
    broken.write_bytes(broken.read_bytes()[:100_000])

    with serving("--checkpoints", str(tmp_path / "checkpoints"), log=tmp_path / "log") as client:
        entries = wait_until_settled(client)
        answers = {name: client.get(f"/sample?framework={name}") for name in FRAMEWORKS}

    assert {name: entry["status"] for name, entry in entries.items()} == {
        "jax": "failed",
        "tensorflow": "ready",
        "pytorch": "ready",
    }
    assert "jax/model.safetensors: not a whole safetensors file" in entries["jax"]["reason"]
    assert str(tmp_path) not in entries["jax"]["reason"]
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "jax": 503,
        "tensorflow": 200,
        "pytorch": 200,
    }


BLOCKED = """
import sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
def without(name, *rest):
    return None if name.partition(".")[0] in {names} else find(name, *rest)
PathFinder.find_spec = without
"""


def test_one_framework_is_enough(tmp_path):
    """Without JAX and TensorFlow the service serves PyTorch, by default too, and says how to install the others."""
    (tmp_path / "sitecustomize.py").write_text(
        BLOCKED.format(names={"jax", "jaxlib", "flax", "optax", "tensorflow", "keras"})
    )

    with serving(log=tmp_path / "log", PYTHONPATH=f"{tmp_path}:{CHECKOUT}") as client:
        entries = wait_until_settled(client)
        answer = client.get("/sample")
        ready = client.get("/readyz")

    assert {name: entry["status"] for name, entry in entries.items()} == {
        "jax": "not_installed",
        "tensorflow": "not_installed",
        "pytorch": "ready",
    }
    assert "pip install 'triptych[jax]'" in entries["jax"]["reason"]
    assert answer.json()["framework"] == "pytorch"
    assert ready.status_code == 200


def test_asking_for_a_gpu_where_there_is_none_is_one_line_a_framework(tmp_path):
    """`--device cuda` on a machine without a GPU ends with exit code 1 and what to do."""
    if shutil.which("nvidia-smi"):
        pytest.skip("there is an NVIDIA driver, and so perhaps a GPU")
    done = subprocess.run(
        [sys.executable, "-m", "app", "--device", "cuda", "--port", "0"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    reasons = [line for line in done.stderr.splitlines() if line.startswith("python -m app: error:")]
    assert done.returncode == 1
    assert len(reasons) == 3
    assert all("sees no GPU: use device auto or cpu" in reason for reason in reasons)
