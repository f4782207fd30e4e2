"""`training.engine.resume_state`: what goes in comes out, older never replaces newer, and damage is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.support.checkpoints import MODEL, join_file, make_weights, split_file
from tests.support.models.resume_states import PARTS, make_state
from training.engine.resume_state import load_training_state, peek_training_state, save_training_state
from training.errors import CheckpointError


@pytest.fixture
def path(tmp_path):
    """Return the place of a sound state."""
    save_training_state(tmp_path / "state.safetensors", make_state())
    return tmp_path / "state.safetensors"


def test_save_then_load_returns_the_state(path):
    """Arrays come back bit for bit, and everything else as it was."""
    expected = make_state()

    loaded = load_training_state(path)

    assert replace(loaded, trainer=expected.trainer) == expected
    assert loaded.trainer.step == 14
    for part in PARTS:
        for name, array in getattr(expected.trainer, part).items():
            np.testing.assert_array_equal(getattr(loaded.trainer, part)[name], array)


def test_options_of_the_run_come_back(path):
    """The epochs of the snapshots, none at all among them, and the origin; a file of an older version has neither."""
    for snapshots in ([3, 100], []):
        state = make_state(epoch=0, origin={"invert": True}, snapshots=snapshots)
        save_training_state(path, state)

        loaded = load_training_state(path)

        assert (loaded.origin, loaded.snapshots) == ({"invert": True}, snapshots)
    header, data = split_file(path.read_bytes())
    description = json.loads(header["__metadata__"]["state"])
    older = {name: value for name, value in description.items() if name not in {"origin", "snapshots"}}
    header["__metadata__"]["state"] = json.dumps(older)
    path.write_bytes(join_file(header, data))
    loaded = load_training_state(path)
    assert (loaded.origin, loaded.snapshots) == ({}, None)


def test_save_when_arrays_are_not_contiguous(path):
    """An array's layout in memory doesn't change what is saved."""
    weights = {name: np.asfortranarray(array) for name, array in make_weights(seed=9).items()}

    save_training_state(path, make_state(epoch=3, trainer=replace(make_state().trainer, weights=weights)))

    for name, array in weights.items():
        np.testing.assert_array_equal(load_training_state(path).trainer.weights[name], array)


@pytest.mark.parametrize(
    ("epoch", "finished", "kept"), [(1, False, True), (2, False, True), (2, True, False), (3, False, False)]
)
def test_save_writes_only_what_is_newer(path, epoch, finished, kept):
    """An earlier epoch, or the same again, leaves the file alone; a later one, or the run's end, replaces it."""
    before = path.read_bytes()

    save_training_state(path, make_state(epoch=epoch, finished=finished, seconds=20.0))

    assert (path.read_bytes() == before) is kept


def test_save_replaces_another_run_only_at_the_start(path):
    """A run that begins takes the folder over; one that is on its way finds that another has."""
    with pytest.raises(CheckpointError, match="expected this run's state, found another run's"):
        save_training_state(path, make_state(run="two", epoch=3))

    save_training_state(path, make_state(run="two", epoch=0))

    assert load_training_state(path).run == "two"


def test_save_replaces_a_damaged_file(path):
    """A file that can't be read is no newer than anything."""
    path.write_bytes(b"damaged")

    save_training_state(path, make_state(epoch=1))

    assert load_training_state(path).epoch == 1


def test_save_when_a_number_is_not_finite(path):
    """A moment that overflowed isn't saved: nothing could go on from it."""
    before = path.read_bytes()
    moments = make_weights() | {"encoder.mean.bias": np.array([0, np.inf], np.float32)}

    with pytest.raises(CheckpointError, match="'second_moments.encoder.mean.bias': expected finite numbers, found 1"):
        save_training_state(path, make_state(epoch=3, trainer=replace(make_state().trainer, second_moments=moments)))

    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-1], "not a whole safetensors file"),
        (lambda content: content[:100], "not a whole safetensors file"),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "don't match their SHA-256"),
        (lambda _: b"PK\3\4" + b"\0" * 200, "(not a whole|expected a) safetensors"),
        (lambda content: content.replace(b"triptych-state-1", b"triptych-state-2"), "expected 'triptych-state-1'"),
        (lambda content: content.replace(b'"dtype":"I64"', b'"dtype":"F64"'), "'step': expected dtype I64, found F64"),
    ],
)
def test_load_when_damaged(path, damage, message):
    """A file that isn't what was written is refused by name."""
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(CheckpointError, match=f"state.safetensors: .*{message}.*; start again with --overwrite$"):
        load_training_state(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": 4}, "epoch: expected 0 to 3, found 4"),
        ({"epoch": "2"}, "epoch: expected int, found '2'"),
        ({"snapshots": "1"}, "snapshots: expected list, found '1'"),
        ({"best": None}, "best: expected dict, found None"),
        ({"config": {}}, r"TrainConfig has the fields \[\]: expected"),
        ({"model": {}}, r"ModelConfig has the fields \[\]: expected"),
        ({"model": MODEL.to_json() | {"latent_dim": 3}}, "'weights.encoder.mean.kernel': expected shape"),
    ],
)
def test_load_when_the_description_is_wrong(path, changes, message):
    """A description that doesn't fit is refused, and the field named."""
    header, data = split_file(path.read_bytes())
    description = json.loads(header["__metadata__"]["state"]) | changes
    header["__metadata__"]["state"] = json.dumps(description)
    path.write_bytes(join_file(header, data))

    with pytest.raises(CheckpointError, match=message):
        load_training_state(path)


def test_load_when_absent(tmp_path):
    """A file that isn't there is an error that says what to do."""
    with pytest.raises(CheckpointError, match="there is no such file; start again with --overwrite"):
        load_training_state(tmp_path / "state.safetensors")


def test_peek_tells_of_a_run_without_its_arrays(path):
    """The description alone, and nothing where there is no readable state."""
    assert peek_training_state(path)["epoch"] == 2
    assert peek_training_state(path.with_name("absent")) is None
    path.write_bytes(b"damaged")
    assert peek_training_state(path) is None
