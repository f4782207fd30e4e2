"""Checks of a promotion: figures, shapes and files for which it is refused. Rolls nothing back."""

import numpy as np
import pytest

from tests.support.checkpoints import make_checkpoint, make_weights
from tests.support.models.new_checkpoints import METRICS, make_content, promote_seed
from training.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from training.checkpoints.history import History
from training.checkpoints.promotion import promote
from training.config import ModelConfig
from training.errors import CheckpointError, PromotionError


def test_worse_figure_is_refused_with_both(model, tmp_path):
    """A lower test ELBO on the same data set and target is refused, and the message has both figures."""
    content = promote_seed(model, tmp_path, 0, elbo=-100.0)

    with pytest.raises(PromotionError, match=r"-101\.50 \+- 0\.25 .* worse than -100\.00 \+- 0\.25"):
        promote_seed(model, tmp_path, 1, elbo=-101.5)

    assert model.path.read_bytes() == content


def test_checkpoint_without_a_test_figure_does_not_replace_one_that_has_it(model, tmp_path):
    """A run that was interrupted before its test is refused, and the message says that it isn't measured."""
    content = promote_seed(model, tmp_path, 0)
    path = tmp_path / "interrupted.safetensors"
    training = {"dataset": load_checkpoint(model.path).training["dataset"]}
    save_checkpoint(path, make_checkpoint(weights=make_weights(seed=1), metrics={}, training=training))

    with pytest.raises(PromotionError, match="test ELBO is not measured, worse than"):
        promote(path.read_bytes(), model, source=path)

    assert model.path.read_bytes() == content


def test_worse_figure_is_taken_by_force(model, tmp_path):
    """With `force`, a worse checkpoint is promoted, and the history says that it was forced."""
    promote_seed(model, tmp_path, 0, elbo=-100.0)

    content = promote_seed(model, tmp_path, 1, elbo=-101.5, force=True)

    assert model.path.read_bytes() == content
    assert History(model).events[-1].forced


@pytest.mark.parametrize(("name", "value"), [("test_target", "threshold"), ("test_images", 10), ("test_elbo", None)])
def test_figures_on_other_targets_are_not_compared(model, tmp_path, name, value):
    """A present figure on another target or number of images, or none at all, doesn't stop a promotion."""
    present = make_content(tmp_path, 0, metrics=METRICS | {"test_elbo": -90.0, name: value})
    promote(present, model, source=tmp_path)

    content = promote_seed(model, tmp_path, 1, elbo=-100.0)

    assert model.path.read_bytes() == content


def test_figures_on_inverted_images_are_not_compared(model, tmp_path):
    """The same folder with light and dark exchanged has other test images."""
    promote_seed(model, tmp_path, 0, elbo=-90.0)
    content = make_content(tmp_path, 1, training={"dataset": "images:/home/ada/cats", "invert": True})

    promote(content, model, source=tmp_path)

    assert model.path.read_bytes() == content


def test_other_shape_is_refused(model, tmp_path):
    """Images of another shape would break the model's clients: both shapes are named."""
    promote_seed(model, tmp_path, 0)
    other = ModelConfig(image_shape=(4, 4), hidden_dim=3, latent_dim=2)
    content = make_content(tmp_path, 1, model=other, weights=make_weights(other))

    with pytest.raises(PromotionError, match=r"image_shape is \(4, 4\), and \(2, 3\)"):
        promote(content, model, source=tmp_path)


def test_damaged_file_is_refused(model, tmp_path):
    """A torn file is refused before anything changes."""
    content = promote_seed(model, tmp_path, 0)

    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        promote(make_content(tmp_path, 1)[:-10], model, source=tmp_path)

    assert model.path.read_bytes() == content


def test_overflowing_weights_are_refused(model, tmp_path):
    """Weights that are finite, but whose outputs aren't, are refused."""
    weights = {name: np.full_like(array, 3e38) for name, array in make_weights().items()}

    with pytest.raises(CheckpointError, match="expected finite outputs"):
        promote(make_content(tmp_path, 0, weights=weights), model, source=tmp_path)
