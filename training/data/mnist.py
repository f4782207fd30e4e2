"""MNIST, embedded: the four genuine files, unchanged, verified by checksum at each load. Downloads nothing."""

from pathlib import Path
from typing import Final

from training.data.dataset import Dataset
from training.data.idx import read_idx

FOLDER: Final = Path(__file__).parent / "mnist_files"

SHA256: Final = {
    "train-images-idx3-ubyte.gz": "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
    "train-labels-idx1-ubyte.gz": "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
    "t10k-images-idx3-ubyte.gz": "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
    "t10k-labels-idx1-ubyte.gz": "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
}

TRAIN_IMAGES: Final = 50_000
"""Of MNIST's 60,000 training images, in its order, the first so many train; the other 10,000 validate."""


def load_mnist(folder: Path = FOLDER) -> Dataset:
    """Return MNIST in its own order: 50,000 images to train, 10,000 to validate, 10,000 to test.

    Raises:
        DataError: A file is absent, or isn't byte for byte the genuine one.
    """
    images, labels, test, test_labels = (read_idx(folder / name, sha256=digest) for name, digest in SHA256.items())
    rows = images.reshape(len(images), -1)
    return Dataset(
        name="mnist",
        image_shape=(images.shape[1], images.shape[2]),
        train=rows[:TRAIN_IMAGES],
        validation=rows[TRAIN_IMAGES:],
        test=test.reshape(len(test), -1),
        train_labels=labels[:TRAIN_IMAGES],
        validation_labels=labels[TRAIN_IMAGES:],
        test_labels=test_labels,
    )
