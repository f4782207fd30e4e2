"""`idx:FOLDER`: a folder of files named as MNIST's."""

import shutil

import numpy as np
import pytest

from tests.support.images.idx_files import write_idx
from training.data import load_dataset, mnist
from training.errors import DataError


@pytest.fixture
def images():
    """Thirty images of 16 x 24, no two alike."""
    return np.random.default_rng(0).integers(0, 256, (30, 16, 24), dtype=np.uint8)


@pytest.mark.parametrize("names", ["{}-idx{}-ubyte.gz", "{}-idx{}-ubyte", "{}.idx{}-ubyte"])
def test_idx_folder_is_read_as_it_was_written(tmp_path, images, names):
    """Images of any size are read pixel by pixel, with their labels, plain or gzipped, under either usual name."""
    labels = np.arange(30, dtype=np.uint8)
    write_idx(tmp_path / names.format("train-images", 3), images[:24])
    write_idx(tmp_path / names.format("train-labels", 1), labels[:24])
    write_idx(tmp_path / names.format("t10k-images", 3), images[24:])
    write_idx(tmp_path / names.format("t10k-labels", 1), labels[24:])

    dataset = load_dataset(f"idx:{tmp_path}")

    rows = images.reshape(30, -1)
    assert dataset.name == f"idx:{tmp_path}"
    assert dataset.image_shape == (16, 24)
    np.testing.assert_array_equal(np.concatenate([dataset.train, dataset.validation, dataset.test]), rows)
    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == [20, 4, 6]
    assert dataset.validation_labels.tolist() == [20, 21, 22, 23]


def test_idx_folder_of_training_images_alone(tmp_path, images):
    """Without labels and a test file there are three splits all the same."""
    write_idx(tmp_path / "train-images-idx3-ubyte", images)

    dataset = load_dataset(f"idx:{tmp_path}")

    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == [21, 4, 5]
    assert dataset.train_labels is None


def test_idx_folder_of_mnist_is_mnist(tmp_path):
    """MNIST's own files, in a folder, make the very data set that is embedded."""
    folder = shutil.copytree(mnist.FOLDER, tmp_path / "own")

    dataset, embedded = load_dataset(f"idx:{folder}"), load_dataset("mnist")

    for split in ("train", "validation", "test", "train_labels", "validation_labels", "test_labels"):
        np.testing.assert_array_equal(getattr(dataset, split), getattr(embedded, split))


def test_idx_folder_when_there_is_none(tmp_path):
    """A folder that isn't there is named, with what it should hold."""
    with pytest.raises(DataError, match=r"there is no folder .*absent; name one that holds train-images-idx3-ubyte"):
        load_dataset(f"idx:{tmp_path / 'absent'}")


def test_idx_folder_when_empty(tmp_path):
    """The error for an empty folder names the missing file."""
    with pytest.raises(
        DataError, match=r"expected train-images-idx3-ubyte \(or the same with .gz\) in .*, found no such"
    ):
        load_dataset(f"idx:{tmp_path}")


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("train-images-idx3-ubyte", np.zeros((30, 16, 24), np.int16), "expected 8 bits a pixel .* found int16"),
        ("train-images-idx3-ubyte", np.zeros((30, 16, 24, 3), np.uint8), r"expected gray images.*\(color\?\)"),
        ("train-images-idx3-ubyte", np.zeros((50, 0, 5), np.uint8), "no pixels: .* found 0 x 5; write them again"),
        (
            "train-images-idx3-ubyte",
            np.zeros((0, 28, 28), np.uint8),
            r"train images: there are none, the shape is \(0, 28",
        ),
        (
            "t10k-images-idx3-ubyte",
            np.zeros((0, 16, 24), np.uint8),
            "test images: there are none, .* leave that split out",
        ),
        ("t10k-images-idx3-ubyte", np.zeros((30, 24, 16), np.uint8), "expected the size .* 16 x 24, found 24 x 16"),
        ("train-labels-idx1-ubyte", np.zeros(30, np.int16), "expected labels of type 08 .* found int16"),
        ("train-labels-idx1-ubyte", np.zeros(29, np.uint8), "a label for each of the 30 train images, found 29"),
    ],
)
def test_idx_folder_when_a_file_does_not_fit(tmp_path, images, name, array, message):
    """16 bits, color, another size and other labels are refused, and the message says what was expected."""
    write_idx(tmp_path / "train-images-idx3-ubyte", images)
    write_idx(tmp_path / name, array)

    with pytest.raises(DataError, match=message):
        load_dataset(f"idx:{tmp_path}")
