"""Undoing a promotion or rollback whose checkpoint couldn't be served."""

import pytest

from tests.support.models.promotions import make_content
from training.checkpoints.model_files import list_models
from training.checkpoints.promotion import promote, roll_back, undo


@pytest.fixture
def promote_seed(model, tmp_path):
    """A function that promotes a checkpoint with the weights of a seed, and returns its content and the event."""

    def promote_next(seed):
        content, _ = make_content(tmp_path / "new.safetensors", seed, -100.0 + seed)
        return content, promote(content, model, source=tmp_path)

    return promote_next


def test_undone_promotion_leaves_the_checkpoint_before_it(model, promote_seed):
    """The one that it replaced is in place, and the next rollback goes to the one before that."""
    (first, _), (second, _), (_, event) = (promote_seed(seed) for seed in range(3))

    undo(event, model)

    assert model.path.read_bytes() == second
    roll_back(model)
    assert model.path.read_bytes() == first


def test_undone_rollback_leaves_the_checkpoint_before_it(model, promote_seed):
    """The one that it replaced is in place, and the next rollback goes to the same checkpoint again."""
    _, (second, _), (third, _) = (promote_seed(seed) for seed in range(3))

    undo(roll_back(model), model)

    assert model.path.read_bytes() == third
    roll_back(model)
    assert model.path.read_bytes() == second


def test_undone_first_promotion_leaves_no_model(model, promote_seed):
    """A name that had no model has none again."""
    undo(promote_seed(0)[1], model)

    assert not list_models(model.checkpoints, "jax")
    assert not any(path.exists() for path in (model.path, *model.side_files.values()))


def test_change_that_was_replaced_is_not_undone(model, promote_seed):
    """A checkpoint that somebody else has promoted meanwhile stays."""
    _, (_, event), (content, _) = (promote_seed(seed) for seed in range(3))

    undo(event, model)

    assert model.path.read_bytes() == content
