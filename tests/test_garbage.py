"""What a framework has loaded is no work for the garbage collector."""

import gc

import pytest

from app.inference.garbage import set_aside_what_is_loaded


@pytest.fixture
def _thawed():
    """Nothing is exempt afterwards that wasn't before."""
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_thawed")
def test_what_is_loaded_is_looked_at_once():
    """Objects that live are exempt from collections afterwards; garbage among them is gone."""
    loaded = [[number] for number in range(10_000)]
    garbage: list[object] = []
    garbage.append(garbage)
    del garbage

    set_aside_what_is_loaded()

    assert gc.get_freeze_count() > len(loaded)
    assert all(item is not loaded for item in gc.get_objects())
    assert gc.collect() == 0
