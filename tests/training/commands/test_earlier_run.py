"""A folder that holds a checkpoint without the state of a run, or a damaged one: never resumed or replaced unasked."""

import pytest

from tests.support.checkpoints import make_checkpoint
from tests.support.models.resume_states import make_state
from training.checkpoints.checkpoint import save_checkpoint
from training.commands.earlier_run import find_state
from training.engine.resume_state import STATE_FILE, save_training_state
from training.errors import CheckpointError, RunFolderError


@pytest.mark.parametrize("resume", [False, True])
def test_checkpoint_without_a_state_is_refused(tmp_path, resume):
    """The message names the missing state and the other ways, with `--resume` and without."""
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, make_checkpoint(training={"dataset": "mnist", "epochs": 3}))

    with pytest.raises(RunFolderError) as caught:
        find_state(path, "jax", {}, resume=resume)

    assert str(caught.value) == (
        f"{tmp_path} holds a checkpoint trained on mnist for 3 epochs: there is no state.safetensors to resume from; "
        "replace it with --overwrite, or choose another folder with --out"
    )


@pytest.fixture(params=["cut", "changed", "emptied"])
def damaged(tmp_path, request):
    """The checkpoint's path of a run whose state is damaged: in its header, in its numbers, or altogether."""
    place = tmp_path / STATE_FILE
    save_training_state(place, make_state())
    content = place.read_bytes()
    damages = {"cut": content[:100], "changed": content[:-1] + bytes([content[-1] ^ 1]), "emptied": b""}
    place.write_bytes(damages[request.param])
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("has_checkpoint", [False, True])
def test_run_with_a_damaged_state_is_refused_without_advice_to_resume_it(damaged, has_checkpoint):
    """The message says that the state can't be read, and names the ways that are left, for any damage."""
    if has_checkpoint:
        save_checkpoint(damaged, make_checkpoint(training={"dataset": "mnist", "epochs": 3}))

    with pytest.raises(RunFolderError) as caught:
        find_state(damaged, "jax", {}, resume=False)

    assert "--resume" not in str(caught.value)
    assert str(caught.value).endswith(
        ": its state.safetensors can't be read, so that the run can't be continued; "
        "replace it with --overwrite, or choose another folder with --out"
    )


def test_damaged_state_is_not_resumed(damaged):
    """The message says how to start again: the state can't be copied, and nothing but a new run makes one."""
    with pytest.raises(CheckpointError, match=r"state.safetensors: .*; start again with --overwrite$") as caught:
        find_state(damaged, "jax", {}, resume=True)

    assert "copy or train it again" not in str(caught.value)
