"""`python -m training show`, as a user starts it."""

import re

import pytest

from tests.support.checkpoints import make_checkpoint
from tests.support.cli import run
from training.checkpoints.checkpoint import save_checkpoint
from training.config import ModelConfig


@pytest.fixture
def checkpoint(tmp_path):
    """A file that says that it was trained on MNIST, without a run beside it."""
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, make_checkpoint(ModelConfig(hidden_dim=4, latent_dim=2), training={"dataset": "mnist"}))
    return path


def test_checkpoint_is_shown_without_its_framework_and_its_run(checkpoint, tmp_path):
    """Each figure is named as it is drawn, and the one that can't be with its reason."""
    done = run("show", "--checkpoint", "model.safetensors", "--out", "figures", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "no learning_curves.png: no metrics of the run are beside the checkpoint",
        *(f"figures/{name}.png" for name in ("reconstructions", "samples", "latent_map", "traversal")),
    ]
    assert len(list((tmp_path / "figures").iterdir())) == 4


def test_checkpoint_is_printed_when_no_folder_is_given(checkpoint, tmp_path):
    """Digits, reconstructions and samples are plain characters where there is no terminal; no file is made."""
    done = run("show", "--checkpoint", "model.safetensors", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("jax, mnist: test images, target fixed; below them their reconstructions")
    assert len(lines) == 1 + 2 * 15 + 1 + 15
    assert "\x1b" not in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--checkpoint", "absent"], 1, r"absent: can't be read: there is no such file; train one"),
        (["--checkpoint", "model.safetensors", "--dataset", "imagenet"], 2, r"unknown data set 'imagenet'"),
        (["--checkpoint", "model.safetensors", "--dataset", ""], 2, r"unknown data set ''"),
    ],
)
def test_what_cannot_be_shown_gets_one_sentence(checkpoint, tmp_path, words, code, message):
    """Nothing is written, and no traceback is shown."""
    done = run("show", *words, "--out", "figures", folder=tmp_path)

    assert done.returncode == code
    assert re.search(message, done.stderr)
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "figures").exists()
