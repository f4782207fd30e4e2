"""What a framework has loaded is no work for the garbage collector."""

import gc

import pytest

from app.inference.garbage import look_for_garbage_less_often, set_aside_what_is_loaded


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


@pytest.fixture
def _as_before():
    """The collector's thresholds are afterwards what they were."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("_as_before")
def test_a_busy_servers_open_requests_are_no_reason_to_look_for_garbage():
    """Two thousand new objects that live start no collection, and garbage is still found in the end."""
    gc.set_threshold(700)
    gc.collect()
    look_for_garbage_less_often()
    collections = gc.get_stats()[0]["collections"]

    living = [[number] for number in range(2000)]
    assert gc.get_stats()[0]["collections"] == collections

    living += [[number] for number in range(2000)]
    assert gc.get_stats()[0]["collections"] > collections
