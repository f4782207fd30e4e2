"""Data sets by name, and the binary targets made of them. Imports no framework, and downloads nothing."""

from collections.abc import Callable, Mapping
from typing import Final

from training.data.binarization import TEST_SEED, TRAIN_SEED, VALIDATION_SEED, binarize
from training.data.dataset import Dataset
from training.data.mnist import load_mnist
from training.errors import DataError

__all__ = ["TEST_SEED", "TRAIN_SEED", "VALIDATION_SEED", "Dataset", "binarize", "load_dataset"]

_LOADERS: Final[Mapping[str, Callable[[], Dataset]]] = {"mnist": load_mnist}


def load_dataset(name: str) -> Dataset:
    """Return the data set of that name, read and checked.

    Raises:
        DataError: There is no such data set, or its files are absent or damaged.
    """
    if name not in _LOADERS:
        raise DataError(f"unknown data set {name[:40]!r}: expected one of {', '.join(_LOADERS)}")
    return _LOADERS[name]()
