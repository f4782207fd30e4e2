"""A folder that holds a checkpoint without the state of a run: never resumed, never replaced unasked."""

import pytest

from tests.support.checkpoints import make_checkpoint
from training.checkpoints.checkpoint import save_checkpoint
from training.commands.earlier_run import find_state
from training.errors import RunFolderError


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
