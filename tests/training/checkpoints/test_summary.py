"""Test metrics of two checkpoints: comparable if they are of the same images and target."""

import pytest

from tests.support.checkpoints import make_checkpoint
from training.checkpoints.summary import are_measured_alike

METRICS = {"test_elbo": -100.0, "test_target": "fixed", "test_images": 50}
TRAINING = {"dataset": "images:/home/ada/cats", "data_sha256": "a" * 64, "invert": False}


@pytest.mark.parametrize(
    ("first", "second", "is_alike"),
    [
        (TRAINING, TRAINING, True),
        (TRAINING, TRAINING | {"dataset": "images:/mnt/pets", "validation_images": 10}, True),
        (TRAINING, {"dataset": "images:/home/ada/cats", "data_sha256": "a" * 64}, True),
        (TRAINING, TRAINING | {"data_sha256": "b" * 64}, False),
        (TRAINING, TRAINING | {"data_sha256": "b" * 64, "invert": True}, False),
        (TRAINING, {"dataset": "images:/mnt/cats"}, True),
        (TRAINING, {"dataset": "images:/mnt/cats", "invert": True}, False),
        ({"dataset": "images:/mnt/cats"}, {"dataset": "images:/mnt/dogs"}, False),
        ({"dataset": "images:/mnt/cats"}, TRAINING | {"invert": True}, False),
    ],
)
def test_same_images_are_known_by_digest_or_else_by_name(first, second, is_alike):
    """A moved folder is the same data, another of its name isn't; without a digest, name and inversion decide."""
    checkpoints = [make_checkpoint(metrics=METRICS, training=training) for training in (first, second)]

    assert are_measured_alike(*checkpoints) is is_alike
    assert are_measured_alike(*reversed(checkpoints)) is is_alike


@pytest.mark.parametrize(("name", "value"), [("test_target", "threshold"), ("test_images", 10)])
def test_other_target_or_number_of_images_is_not_alike(name, value):
    """The same data is measured otherwise."""
    checkpoint = make_checkpoint(metrics=METRICS, training=TRAINING)
    other = make_checkpoint(metrics=METRICS | {name: value}, training=TRAINING)

    assert not are_measured_alike(checkpoint, other)


def test_checkpoint_without_test_metrics_is_alike_on_the_same_images():
    """An interrupted run is of the same data, though nothing was measured; on other data it isn't."""
    checkpoint = make_checkpoint(metrics=METRICS, training=TRAINING)
    unmeasured = make_checkpoint(metrics={"validation_elbo": -99.0}, training=TRAINING)
    other = make_checkpoint(metrics={"validation_elbo": -99.0}, training=TRAINING | {"data_sha256": "b" * 64})

    assert are_measured_alike(checkpoint, unmeasured)
    assert not are_measured_alike(checkpoint, other)
