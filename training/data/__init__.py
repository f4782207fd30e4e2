"""Loads data sets by name, and makes binary targets of them. Imports no framework.

`mnist` is embedded; `tfds:NAME` is one of TensorFlow Datasets, the only source that ever downloads; `idx:FOLDER` is a
folder of files named as MNIST's; `images:FOLDER` is a folder of image files of any kind.
"""

import re
from pathlib import Path
from typing import Final

from training.data.binarization import TEST_SEED, TRAIN_SEED, VALIDATION_SEED, binarize
from training.data.dataset import Dataset
from training.data.idx_folder import load_idx_folder
from training.data.image_folder import load_image_folder
from training.data.mnist import load_mnist
from training.data.tfds import load_tfds
from training.errors import ConfigError

__all__ = [
    "IMAGE_SHAPE",
    "TEST_SEED",
    "TRAIN_SEED",
    "VALIDATION_SEED",
    "Dataset",
    "binarize",
    "load_dataset",
    "parse_image_size",
]

IMAGE_SHAPE: Final = (28, 28)
"""Default size that the images of `images:FOLDER` are resized to."""


def load_dataset(
    name: str, *, data_dir: Path | None = None, image_shape: tuple[int, int] | None = None, invert: bool = False
) -> Dataset:
    """Return the data set of that name, read and checked.

    Args:
        name: `mnist`, `tfds:NAME`, `idx:FOLDER` or `images:FOLDER`.
        data_dir: Folder of prepared data sets of `tfds:`, where new ones are written too; None for TFDS's default.
        image_shape: Height and width that the images of `images:` are resized to; None for 28 x 28.
        invert: The images of `images:` are dark on light.

    Raises:
        ConfigError: It is no name of a data set, or an option is given that another kind of data set takes.
        DataError: The data set is absent, damaged or not of gray images of one size.
    """
    kind, _, rest = name.partition(":")
    for option, is_given, taker in (
        ("data_dir (--data-dir)", data_dir is not None, "tfds"),
        ("image_shape (--image-size)", image_shape is not None, "images"),
        ("invert (--invert)", invert, "images"),
    ):
        if is_given and kind != taker:
            raise ConfigError(
                f"{option} is given with data set {name[:40]!r}: expected only with {taker}:; leave it out"
            )
    match kind, rest:
        case "mnist", "" if ":" not in name:
            return load_mnist()
        case "tfds", str(set_name) if set_name:
            return load_tfds(name, set_name, data_dir=data_dir)
        case "idx", str(folder) if folder:
            return load_idx_folder(name, Path(folder))
        case "images", str(folder) if folder:
            shape = image_shape or IMAGE_SHAPE
            return load_image_folder(name, Path(folder), image_shape=shape, invert=invert)
    raise ConfigError(
        f"unknown data set {name[:40]!r}: expected one of mnist, tfds:NAME (of TensorFlow Datasets), idx:FOLDER "
        "(of files named as MNIST's) and images:FOLDER (of image files)"
    )


def parse_image_size(text: str) -> tuple[int, int]:
    """Return height and width from a text such as `16x24`.

    Raises:
        ConfigError: The text isn't two numbers from 1 to 4096 with an x between.
    """
    match = re.fullmatch(r"([0-9]{1,4})x([0-9]{1,4})", text.lower())
    if match is None or not all(1 <= int(size) <= 4096 for size in match.groups()):
        raise ConfigError(f"image size is {text[:40]!r}: expected HEIGHTxWIDTH, each from 1 to 4096, such as 16x24")
    height, width = map(int, match.groups())
    return height, width
