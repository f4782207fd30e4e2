"""A folder of one's own pictures, all the way: trained on, served, and reconstructed in their own shape."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from app.inference import operations
from app.inference.adapters.numpy_adapter import NumpyAdapter
from tests.support.app import run_operation
from tests.support.cli import run
from tests.support.live_service import serving, wait_until_settled
from training.checkpoints.checkpoint import load_checkpoint
from training.data import load_dataset

TRAIN = ["train", "--framework", "pytorch", "--epochs", "1", "--batch-size", "32", "--hidden-dim", "16"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of 150 drawings, dark on light, larger than what is trained on, in color."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "drawings").mkdir()
    for index in range(150):
        drawing = Image.new("RGB", (72, 48), "white")
        x, y = 2 + index % 15 * 3, 2 + index // 15 * 3
        ImageDraw.Draw(drawing).rectangle((x, y, x + 20, y + 14), fill="navy")
        drawing.save(folder / "drawings" / f"{index}.png")
    return folder


def test_own_pictures_are_trained_on_served_and_reconstructed(folder):
    """Pictures of 16 x 24 go through training, checkpoint and service, and are the same image in both."""
    done = run(
        *TRAIN, "--dataset", "images:drawings", "--image-size", "16x24", "--invert", "--latent-dim", "3", folder=folder
    )
    checkpoint = load_checkpoint(folder / "runs" / "pytorch" / "model.safetensors")
    dataset = load_dataset(f"images:{folder / 'drawings'}", image_shape=(16, 24), invert=True)
    drawing = (folder / "drawings" / "7.png").read_bytes()
    options = ("--checkpoints", str(folder / "runs"), "--default-framework", "pytorch")
    with serving(*options, log=folder / "log", TRIPTYCH_FRAMEWORKS="pytorch") as client:
        wait_until_settled(client)
        answer = client.post(
            "/reconstruct?invert=true&seed=7", content=drawing, headers={"Content-Type": "image/png"}
        ).json()

    assert done.returncode == 0, done.stderr
    assert checkpoint.model.image_shape == (16, 24)
    assert checkpoint.training["dataset"] == "images:drawings"
    assert "--dataset images:drawings" in checkpoint.training["command"]
    assert checkpoint.training["command"].endswith("--image-size 16x24 --invert")
    assert np.shape(answer["probs"]) == (1, 16, 24)
    assert np.shape(answer["mean"]) == (1, 3)
    rows = np.concatenate([dataset.train, dataset.validation, dataset.test]) / np.float32(255)
    expected = run_operation(operations.reconstruct, NumpyAdapter(checkpoint, framework="pytorch"), rows, seed=7)
    distances = np.sort(np.abs(np.array(answer["mean"]) - expected["mean"]).max(axis=1))
    assert distances[0] < 1e-5, "none of the images trained on is what the service read"
    assert distances[1] > 1e-3, "the images are too much alike to tell"
