"""A folder of IDX files that are named as MNIST's are, of images of any size. Reads it, and nothing else."""

from pathlib import Path

import numpy as np

from training.data.dataset import Dataset
from training.data.idx import read_idx
from training.data.splits import Part, make_dataset
from training.errors import DataError


def load_idx_folder(name: str, folder: Path) -> Dataset:
    """Return the images of `train-images-idx3-ubyte` and `t10k-images-idx3-ubyte`, plain or gzipped (`.gz`).

    `train-labels-idx1-ubyte` and `t10k-labels-idx1-ubyte` are read if they exist. The validation part is cut from the
    end of the training images, and so is the test part where there is no `t10k` file.

    Raises:
        DataError: There is no such folder or file, a file is damaged, or the images aren't a data set.
    """
    if not folder.is_dir():
        raise DataError(f"{name}: there is no folder {folder}; name one that holds {_file_name('train', 'images')}")
    train = _read_part(folder, "train")
    if train is None:
        raise DataError(
            f"{name}: expected {_file_name('train', 'images')} (or the same with .gz) in {folder}, found no such file; "
            "name the files as MNIST's, or another folder"
        )
    return make_dataset(name, train=train, validation=None, test=_read_part(folder, "t10k"))


def _read_part(folder: Path, part: str) -> Part | None:
    images, labels = _find(folder, part, "images"), _find(folder, part, "labels")
    if images is None:
        return None
    part_labels = None if labels is None else read_idx(labels)
    if part_labels is not None and part_labels.dtype != np.uint8:
        raise DataError(f"{labels}: expected labels of type 08 (unsigned byte), found {part_labels.dtype}")
    return Part(read_idx(images), part_labels)


def _find(folder: Path, part: str, what: str) -> Path | None:
    name = _file_name(part, what)
    # MNIST's files are also distributed unpacked, with a dot before `idx`.
    names = (f"{name}.gz", name, name.replace("-idx", ".idx"))
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _file_name(part: str, what: str) -> str:
    return f"{part}-{what}-idx{3 if what == 'images' else 1}-ubyte"
