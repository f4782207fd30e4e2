"""`training.data.splits`: the splits of a source become a data set, or are refused."""

import numpy as np
import pytest

from training.data import binarize
from training.data.splits import Split, make_dataset
from training.errors import DataError


def gray(count, shape=(2, 3), *, start=0):
    """Return a part of images with distinct grays, and labels that count them."""
    numbers = np.arange(start, start + count, dtype=np.uint8)
    return Split(np.repeat(numbers, np.prod(shape)).reshape(count, *shape), numbers)


def test_parts_of_the_source_are_kept():
    """A source's training, validation and test images are used as such, in order, with their labels."""
    dataset = make_dataset("own", train=gray(5), validation=gray(3, start=50), test=gray(2, start=90))

    assert dataset.image_shape == (2, 3)
    assert dataset.train[:, 0].tolist() == dataset.train_labels.tolist() == [0, 1, 2, 3, 4]
    assert dataset.validation[:, 0].tolist() == dataset.validation_labels.tolist() == [50, 51, 52]
    assert dataset.test[:, 0].tolist() == dataset.test_labels.tolist() == [90, 91]


def test_absent_splits_are_cut_from_the_end_of_the_training_images():
    """Without a test split, the last sixth of the training images is it; of the others the last sixth validates."""
    dataset = make_dataset("own", train=gray(36), validation=None, test=None)

    assert dataset.train_labels.tolist() == list(range(25))
    assert dataset.validation_labels.tolist() == list(range(25, 30))
    assert dataset.test_labels.tolist() == list(range(30, 36))


def test_fewest_images_that_absent_parts_are_cut_from():
    """As many as the message for fewer asks for are enough: seven where both splits are absent, six where one is."""
    both = make_dataset("own", train=gray(7), validation=None, test=None)
    one = make_dataset("own", train=gray(6), validation=None, test=gray(1))

    assert [len(both.train), len(both.validation), len(both.test)] == [5, 1, 1]
    assert [len(one.train), len(one.validation), len(one.test)] == [5, 1, 1]


@pytest.mark.parametrize("dtype", [np.uint8, np.bool_])
@pytest.mark.parametrize("target", ["dynamic", "fixed", "threshold"])
def test_binary_images_stay_as_they_are_under_every_target(dtype, target):
    """Pixels of 0 and 1, or of booleans, are black and white: nothing is left to be drawn."""
    images = np.random.default_rng(0).integers(0, 2, (12, 4, 5)).astype(dtype)

    dataset = make_dataset("own", train=Split(images), validation=Split(images), test=Split(images))

    np.testing.assert_array_equal(binarize(dataset.test, target=target, seed=0), images.reshape(12, 20))


def test_nearly_black_part_beside_a_gray_one_stays_gray():
    """A data set is binary as a whole or not at all: a part that has only dark images isn't binary by itself."""
    dark = Split(np.ones((6, 2, 3), np.uint8))

    dataset = make_dataset("own", train=dark, validation=dark, test=gray(6))

    assert dataset.train.max() == 1


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"train": Split(np.zeros((9, 2, 3, 3), np.uint8))}, r"train images: expected gray .* \(color\?\); save each"),
        ({"train": Split(np.zeros((9, 6), np.uint8))}, r"train images: expected gray images, .* found \(9, 6\)"),
        (
            {"train": Split(np.zeros((9, 0, 3), np.uint8))},
            "train images: they have no pixels: expected a height and a width of 1 or more, found 0 x 3; write",
        ),
        (
            {"train": Split(np.zeros((9, 2, 3), np.int16))},
            "train images: expected 8 bits a pixel .* found int16; bring",
        ),
        ({"test": Split(np.zeros((9, 2, 3), np.float32))}, "test images: expected 8 bits a pixel .* found float32"),
        ({"test": gray(9, (3, 2))}, "test images: expected the size of the training images, 2 x 3, found 3 x 2"),
        ({"train": gray(0)}, r"train images: there are none, the shape is \(0, 2, 3\); add some$"),
        ({"train": gray(0, (0, 0))}, r"train images: there are none, the shape is \(0, 0, 0\); add some$"),
        ({"test": gray(0)}, "test images: there are none, .*; add some, or leave that split out: it is then cut from"),
        ({"train": gray(5)}, "own: 5 training images: expected 6 or more, for the validation images are cut from them"),
        (
            {"train": gray(1), "validation": gray(1), "test": None},
            "own: 1 training image: expected 6 .* the test images",
        ),
        ({"train": gray(6), "test": None}, "own: 6 training images: expected 7 .* the validation and test images"),
        ({"train": Split(gray(9).images, np.zeros(8, np.uint8))}, "a label for each of the 9 train images, found 8"),
    ],
)
def test_make_dataset_when_images_are_of_another_kind(splits, message):
    """Color, depth, size, number and labels that don't fit are refused by name, with what to do."""
    with pytest.raises(DataError, match=message):
        make_dataset("own", **({"train": gray(9), "validation": None, "test": gray(9)} | splits))
