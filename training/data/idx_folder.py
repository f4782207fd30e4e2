"""A folder of IDX files that are named as MNIST's are, of images of any size. Reads it, and nothing else."""

from pathlib import Path

import numpy as np

from training.data.dataset import Dataset
from training.data.folders import find_folder
from training.data.idx import read_idx
from training.data.splits import Split, make_dataset
from training.errors import DataError


def load_idx_folder(name: str, folder: Path) -> Dataset:
    """Return the images of `train-images-idx3-ubyte` and `t10k-images-idx3-ubyte`, plain or gzipped (`.gz`).

    `train-labels-idx1-ubyte` and `t10k-labels-idx1-ubyte` are read if they exist. The validation split is cut from the
    end of the training images, and so is the test split where there is no `t10k` file.

    Raises:
        DataError: There is no such folder or file, a file is damaged, or the images aren't a data set.
    """
    folder = find_folder(name, folder, content=_file_name("train", "images"))
    train = _read_split(folder, "train")
    if train is None:
        raise DataError(
            f"{name}: expected {_file_name('train', 'images')} (or the same with .gz) in {folder}, found no such file; "
            "name the files as MNIST's, or another folder"
        )
    return make_dataset(name, train=train, validation=None, test=_read_split(folder, "t10k"))


def _read_split(folder: Path, split: str) -> Split | None:
    images, labels = _find(folder, split, "images"), _find(folder, split, "labels")
    if images is None:
        return None
    split_labels = None if labels is None else read_idx(labels)
    if split_labels is not None and split_labels.dtype != np.uint8:
        raise DataError(f"{labels}: expected labels of type 08 (unsigned byte), found {split_labels.dtype}")
    return Split(read_idx(images), split_labels)


def _find(folder: Path, split: str, what: str) -> Path | None:
    name = _file_name(split, what)
    # MNIST's files are also distributed unpacked, with a dot before `idx`.
    names = (f"{name}.gz", name, name.replace("-idx", ".idx"))
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _file_name(split: str, what: str) -> str:
    return f"{split}-{what}-idx{3 if what == 'images' else 1}-ubyte"
