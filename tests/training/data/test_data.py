"""`training.data`: MNIST as embedded, and the targets made of it."""

import dataclasses
import hashlib
import shutil

import numpy as np
import pytest

from training.data import TEST_SEED, TRAIN_SEED, VALIDATION_SEED, Dataset, binarization, binarize, load_dataset, mnist
from training.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def dataset():
    """Return MNIST, read once."""
    return load_dataset("mnist")


def test_load_dataset_mnist_shapes(dataset):
    """MNIST comes in three splits of 784 pixels an image, with a label each."""
    splits = (dataset.train, dataset.validation, dataset.test)
    labels = (dataset.train_labels, dataset.validation_labels, dataset.test_labels)

    assert dataset.image_shape == (28, 28)
    assert [split.shape for split in splits] == [(50_000, 784), (10_000, 784), (10_000, 784)]
    assert [split.shape for split in labels] == [(50_000,), (10_000,), (10_000,)]
    assert {split.dtype for split in splits + labels} == {np.dtype(np.uint8)}


def test_load_dataset_mnist_order(dataset):
    """The splits keep MNIST's order: the published first labels of its two files, and the split between."""
    assert dataset.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert dataset.validation_labels[:5].tolist() == [3, 8, 6, 9, 6]
    assert dataset.test_labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_load_dataset_mnist_images_belong_to_labels(dataset):
    """Each image lies nearest to the mean image of its label far more often than by chance."""
    means = np.stack([dataset.train[dataset.train_labels == digit].mean(axis=0) for digit in range(10)])
    distances = np.square(dataset.test[:1000, None] - means).sum(axis=-1)

    accuracy = np.mean(distances.argmin(axis=1) == dataset.test_labels[:1000])

    assert accuracy > 0.7


@pytest.mark.parametrize("count", [1, 1_000, 20_000, 59_999])
def test_hold_out_moves_the_end_of_the_training_images(dataset, count):
    """The last images before the test split validate, the others train, in MNIST's order, each with its own label."""
    split = dataset.hold_out(count)

    images = np.concatenate([dataset.train, dataset.validation])
    labels = np.concatenate([dataset.train_labels, dataset.validation_labels])
    assert np.array_equal(split.train, images[:-count])
    assert np.array_equal(split.validation, images[-count:])
    assert np.array_equal(split.train_labels, labels[:-count])
    assert np.array_equal(split.validation_labels, labels[-count:])
    assert split.test is dataset.test
    assert split.sha256() == dataset.sha256()


def test_hold_out_without_labels(dataset):
    """A data set without classes is divided alike."""
    split = dataclasses.replace(dataset, train_labels=None, validation_labels=None).hold_out(10)

    assert len(split.validation) == 10
    assert split.train_labels is None
    assert split.validation_labels is None


@pytest.mark.parametrize("count", [0, -1, 60_000, 100_000])
def test_hold_out_keeps_an_image_in_both_splits(dataset, count):
    """A count that leaves one of the splits empty is an error that gives the range."""
    with pytest.raises(DataError, match=f"can't hold {count} of 60000 images out .* expected 1 to 59999"):
        dataset.hold_out(count)


@pytest.mark.parametrize("name", ["cifar", "", "mnist:0", "tfds:", "idx:", "images:"])
def test_load_dataset_when_unknown(name):
    """An unknown or incomplete name is an error that lists the known ones."""
    with pytest.raises(ConfigError, match=f"unknown data set '{name}': expected one of mnist"):
        load_dataset(name)


@pytest.mark.parametrize("name", mnist.SHA256)
def test_load_mnist_when_a_byte_differs(tmp_path, name):
    """One flipped bit in any of the four files is found by its checksum, and the file named."""
    folder = shutil.copytree(mnist.FOLDER, tmp_path / "mnist")
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)

    with pytest.raises(DataError, match=f"{name}: not the genuine file: expected SHA-256 {mnist.SHA256[name]}"):
        mnist.load_mnist(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": np.zeros((2, 5), np.uint8)}, r"train images: expected uint8 \(n, 4\) .* found uint8 \(2, 5\)"),
        ({"test": np.zeros((2, 4), np.float32)}, "test images: .* found float32"),
        ({"validation": np.zeros((0, 4), np.uint8)}, "validation images: .* with n over 0"),
        ({"test_labels": np.zeros(3, np.uint8)}, r"test labels: expected uint8 \(2,\), found uint8 \(3,\)"),
    ],
)
def test_dataset_when_shapes_disagree(changes, message):
    """A data set whose arrays don't fit each other can't be made."""
    images = np.zeros((2, 4), np.uint8)
    fields = {"train": images, "validation": images, "test": images} | changes

    with pytest.raises(DataError, match=message):
        Dataset(name="own", image_shape=(2, 2), **fields)


def test_binarize_dynamic_returns_intensities():
    """The target that trainers draw from is v / 255, from 0 to 1."""
    images = np.arange(256, dtype=np.uint8)[None]

    targets = binarize(images, target="dynamic", seed=0)

    assert targets.dtype == np.float32
    np.testing.assert_allclose(targets[0], np.arange(256) / 255, rtol=1e-7)


def test_binarize_threshold_at_one_half():
    """The threshold lies between 127, below a half, and 128, above."""
    images = np.array([[0, 127, 128, 255]], np.uint8)

    targets = binarize(images, target="threshold", seed=0)

    assert targets.dtype == np.float32
    assert targets.tolist() == [[0, 0, 1, 1]]


def test_binarize_fixed_draws_each_intensity_with_its_probability():
    """The share of ones among 40,000 draws of each intensity is v / 255, within five standard deviations."""
    images = np.tile(np.arange(256, dtype=np.uint8), (40_000, 1))

    targets = binarize(images, target="fixed", seed=TRAIN_SEED)

    probability = np.arange(256) / 255
    error = np.abs(targets.mean(axis=0, dtype=np.float64) - probability)
    assert targets.dtype == np.float32
    assert set(np.unique(targets)) == {0, 1}
    assert np.all(error <= 5 * np.sqrt(probability * (1 - probability) / len(images)))


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (255, 1)])
def test_binarize_fixed_of_black_and_white(value, expected):
    """Black is always 0 and white always 1: the targets of certain pixels are certain."""
    images = np.full((1000, 784), value, np.uint8)

    targets = binarize(images, target="fixed", seed=TEST_SEED)

    assert np.all(targets == expected)


@pytest.mark.parametrize(
    ("split", "seed", "digest"),
    [
        ("train", TRAIN_SEED, "c055149de9e531abd07c2b3e3c47cff357f9a752d1d015f6fd426736753ce9f9"),
        ("validation", VALIDATION_SEED, "62ecc2e057d88f0bcfbaedb5410ac2cc4b41920c3b8cc1c0e06dc1966add86dd"),
        ("test", TEST_SEED, "9ef879f197e0c0b567e965bc806eea3eed9c312b893a41cf861c12c9e8309c15"),
    ],
)
def test_binarize_fixed_never_changes(dataset, split, seed, digest):
    """The fixed sets are those that the published figures were measured on."""
    targets = binarize(getattr(dataset, split), target="fixed", seed=seed)

    assert hashlib.sha256(targets.astype(np.uint8).tobytes()).hexdigest() == digest


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_binarize_fixed_whatever_the_chunk(dataset, monkeypatch, chunk):
    """An image's binarization depends neither on the size of the chunks nor on the number of images after it."""
    expected = binarize(dataset.test[:100], target="fixed", seed=TEST_SEED)
    monkeypatch.setattr(binarization, "_CHUNK", chunk)

    targets = binarize(dataset.test[:50], target="fixed", seed=TEST_SEED)

    np.testing.assert_array_equal(targets, expected[:50])


def test_binarize_fixed_with_another_seed(dataset):
    """Another seed draws other pixels."""
    first, second = (binarize(dataset.test[:10], target="fixed", seed=seed) for seed in (1, 2))

    assert np.any(first != second)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "grey"}, "target is 'grey': expected one of dynamic, fixed, threshold"),
        ({"seed": -1}, "seed is -1: expected an integer from 0"),
    ],
)
def test_binarize_when_options_are_wrong(options, message):
    """An unknown target or a seed out of range is an error that says what is allowed."""
    with pytest.raises(ConfigError, match=message):
        binarize(np.zeros((1, 4), np.uint8), **({"target": "fixed", "seed": 0} | options))


@pytest.mark.parametrize("images", [np.zeros((1, 4), np.float32), np.zeros((1, 2, 2), np.uint8)])
def test_binarize_when_images_are_no_rows(images):
    """Images that aren't uint8 rows are refused: a float from 0 to 1 would be read as black."""
    with pytest.raises(DataError, match=r"images: expected uint8 \(n, pixels\), found"):
        binarize(images, target="fixed", seed=0)
