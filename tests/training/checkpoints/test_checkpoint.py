"""`training.checkpoints.checkpoint` when all is well: what goes in comes out, and a file is whole or absent."""

import hashlib
import os

import numpy as np
import pytest

from tests.support.checkpoints import MODEL, make_checkpoint, make_weights
from training.checkpoints.checkpoint import load_checkpoint, save_checkpoint, weight_shapes
from training.config import ModelConfig
from training.errors import CheckpointError


def test_save_then_load_returns_the_checkpoint(tmp_path):
    """Weights, architecture, provenance and metrics come back as they were saved."""
    path = tmp_path / "model.safetensors"
    checkpoint = make_checkpoint()

    saved = save_checkpoint(path, checkpoint)
    loaded = load_checkpoint(path)

    assert list(loaded.weights) == list(weight_shapes(MODEL))
    for name, array in checkpoint.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], array)
    for field in ("model", "framework", "framework_version", "training", "metrics"):
        assert getattr(loaded, field) == getattr(checkpoint, field)
    assert loaded.sha256 == saved.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_weight_shapes_of_the_contract():
    """The default architecture has the canonical names and shapes, in the order of the forward pass."""
    assert weight_shapes(ModelConfig()) == {
        "encoder.hidden.kernel": (784, 500),
        "encoder.hidden.bias": (500,),
        "encoder.mean.kernel": (500, 20),
        "encoder.mean.bias": (20,),
        "encoder.logvar.kernel": (500, 20),
        "encoder.logvar.bias": (20,),
        "decoder.hidden.kernel": (20, 500),
        "decoder.hidden.bias": (500,),
        "decoder.logits.kernel": (500, 784),
        "decoder.logits.bias": (784,),
    }


@pytest.mark.parametrize(
    "relayout",
    [
        np.asfortranarray,
        lambda array: np.ascontiguousarray(array.T).T,
        lambda array: np.repeat(array, 2, axis=0)[::2],
        lambda array: np.ascontiguousarray(array[::-1])[::-1],
    ],
    ids=["fortran", "transposed view", "strided view", "reversed view"],
)
def test_save_when_arrays_are_not_contiguous(tmp_path, relayout):
    """An array's layout in memory, such as that of `w.T`, doesn't change what is saved."""
    path = tmp_path / "model.safetensors"
    expected = make_weights()
    kernels = [name for name in expected if name.endswith("kernel")]
    weights = expected | {name: relayout(expected[name]) for name in kernels}

    save_checkpoint(path, make_checkpoint(weights=weights))

    assert not any(weights[name].flags.c_contiguous for name in kernels)
    for name, array in load_checkpoint(path).weights.items():
        np.testing.assert_array_equal(array, expected[name])


def test_save_leaves_the_caller_alone(tmp_path):
    """Saving changes neither the caller's dictionary nor its arrays."""
    checkpoint = make_checkpoint()
    before = {name: (array, array.copy()) for name, array in checkpoint.weights.items()}

    save_checkpoint(tmp_path / "model.safetensors", checkpoint)

    assert list(checkpoint.weights) == list(before)
    for name, (array, values) in before.items():
        assert checkpoint.weights[name] is array
        np.testing.assert_array_equal(array, values)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("encoder.mean.kernel", None, r"'encoder.mean.kernel': expected shape \(3, 2\), found no such tensor"),
        ("encoder.mean.kernel", np.zeros((2, 3)), r"'encoder.mean.kernel': expected shape \(3, 2\), found \(2, 3\)"),
        ("extra", np.zeros(2), "'extra': expected only encoder.hidden.kernel, .* found one more"),
        ("encoder.mean.bias", np.array([0, np.nan]), "'encoder.mean.bias': expected finite numbers, found 1"),
        ("encoder.mean.bias", np.array([np.inf, np.nan]), "'encoder.mean.bias': expected finite numbers, found 2"),
    ],
)
def test_save_when_weights_are_wrong(tmp_path, name, array, message):
    """Weights that couldn't be loaded again aren't saved."""
    path = tmp_path / "model.safetensors"
    weights = make_weights() | ({name: array} if array is not None else {})
    if array is None:
        del weights[name]

    with pytest.raises(CheckpointError, match=message):
        save_checkpoint(path, make_checkpoint(weights=weights))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_save_when_writing_fails(tmp_path, monkeypatch, function):
    """A disk that fills up half-way leaves the old file as it was, and nothing beside it."""
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, make_checkpoint())
    before = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(CheckpointError, match="model.safetensors: can't be written: No space left on device"):
        save_checkpoint(path, make_checkpoint(weights=make_weights(seed=1)))

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_save_when_interrupted(tmp_path, monkeypatch):
    """Ctrl-C in the middle of writing leaves the old file as it was, and nothing beside it."""
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, make_checkpoint())
    before = path.read_bytes()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, make_checkpoint(weights=make_weights(seed=1)))

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_save_makes_folders_and_a_readable_file(tmp_path):
    """The folders on the way are made, and another user's server can read the file."""
    path = tmp_path / "new" / "jax" / "model.safetensors"

    save_checkpoint(path, make_checkpoint())

    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_save_when_the_folder_is_a_file(tmp_path):
    """A place that can't be written to is an error that names it."""
    (tmp_path / "file").touch()

    with pytest.raises(CheckpointError, match=r"file/model.safetensors: can't be written"):
        save_checkpoint(tmp_path / "file" / "model.safetensors", make_checkpoint())
