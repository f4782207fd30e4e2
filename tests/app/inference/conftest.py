"""Fixtures of the tests of models."""

import pytest

from tests.support.models.named_models import save_models


@pytest.fixture
def model_folder(tmp_path):
    """A default model in each framework, and two more of JAX."""
    return save_models(tmp_path)
