"""A model to promote checkpoints of."""

import pytest

from training.checkpoints.model_files import ModelFile


@pytest.fixture
def model(tmp_path):
    """The place of a model, empty."""
    return ModelFile(tmp_path / "checkpoints", "jax", "cats")
