"""The data set that a command takes for a checkpoint: its own, inverted as it was trained."""

import numpy as np
import pytest
from PIL import Image

from tests.support.checkpoints import make_checkpoint
from training.commands.options.data import load_dataset_of
from training.config import ModelConfig


@pytest.fixture
def drawings(tmp_path):
    """The name of a data set of dark drawings on light paper."""
    generator = np.random.default_rng(0)
    for number in range(30):
        pixels = np.where(generator.random((6, 4)) < 0.2, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    return f"images:{tmp_path}"


@pytest.mark.parametrize(
    ("trained", "invert", "is_light"),
    [(True, None, False), (True, False, True), (False, None, True), (False, True, False), (None, None, True)],
)
def test_pictures_are_inverted_as_the_checkpoint_was_trained(drawings, trained, invert, is_light):
    """Without the option the checkpoint's metadata decides; older checkpoints say nothing, which is no."""
    training = {"dataset": drawings} | ({} if trained is None else {"invert": trained})
    checkpoint = make_checkpoint(ModelConfig(image_shape=(6, 4), hidden_dim=3, latent_dim=2), training=training)

    images = load_dataset_of(checkpoint, None, data_dir=None, invert=invert)

    assert images.image_shape == (6, 4)
    assert (images.train.mean() > 127) == is_light


def test_other_data_sets_are_not_inverted():
    """A checkpoint of inverted pictures can be measured on MNIST, which is light on dark already."""
    checkpoint = make_checkpoint(ModelConfig(), training={"dataset": "images:nowhere", "invert": True})

    assert load_dataset_of(checkpoint, "mnist", data_dir=None, invert=None).train.mean() < 127


@pytest.mark.parametrize(("name", "expected"), [(None, (29, 1)), ("mnist", (50_000, 10_000))])
def test_own_data_set_is_divided_as_for_the_training(drawings, name, expected):
    """The validation split of the checkpoint's own data set has as many images as chose its epoch."""
    training = {"dataset": drawings, "validation_images": 1}
    checkpoint = make_checkpoint(ModelConfig(image_shape=(6, 4), hidden_dim=3, latent_dim=2), training=training)

    images = load_dataset_of(checkpoint, name, data_dir=None, invert=None)

    assert len(images.validation) == expected[1]
    assert len(images.train) <= expected[0]
