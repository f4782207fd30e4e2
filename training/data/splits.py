"""Makes a `Dataset` of the splits of a source: checks them, scales them to 0..255, and cuts absent splits."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.counts import count_of
from training.data.dataset import Dataset
from training.errors import DataError

HELD_OUT: Final = 6
"""Share of the training split that becomes the test split if a source has none; then the same for validation.

So 60,000 training images, as MNIST has, leave 50,000 to train and 10,000 to validate.
"""

DTYPES: Final = frozenset({np.dtype(np.uint8), np.dtype(np.bool_)})
"""Supported types of a pixel."""

AS_PICTURES: Final = "save each image as a PNG file, and use images:FOLDER, which reads any image file"
"""Advice for images that this module doesn't support."""


@dataclass(frozen=True, slots=True)
class Split:
    """One split of a source, as it was read."""

    images: NDArray[Any]
    """(n, height, width): uint8, or bool; not checked yet."""

    labels: NDArray[Any] | None = None
    """The class of each image, uint8, where there are classes; not checked yet."""

    def __getitem__(self, rows: slice) -> "Split":
        """Return some of the images, with their labels."""
        return Split(self.images[rows], None if self.labels is None else self.labels[rows])


def make_dataset(name: str, *, train: Split, validation: Split | None, test: Split | None) -> Dataset:
    """Return the data set of these splits, with the absent ones cut from the end of `train`.

    Images that hold nothing but 0 and 1, or bool, are taken as binary: 1 becomes 255, so that every target leaves them
    as they are.

    Raises:
        DataError: Images aren't gray, of 8 bits, all of one size and enough for three splits, or labels don't fit them.
    """
    for split_name, split in (("train", train), ("validation", validation), ("test", test)):
        if split is not None:
            _check(f"{name}: {split_name} images", split.images, like=train.images)
            if split.labels is not None and len(split.labels) != len(split.images):
                raise DataError(
                    f"{name}: expected a label for each of the {len(split.images)} {split_name} images, "
                    f"found {len(split.labels)}; leave the labels out, or mend them"
                )
    _check_number(
        name, train, absent=[split for split, given in (("validation", validation), ("test", test)) if given is None]
    )
    if test is None:
        train, test = _cut(train)
    if validation is None:
        train, validation = _cut(train)
    splits = {"train": train, "validation": validation, "test": test}
    white = 255 if all(split.images.max(initial=0) <= 1 for split in splits.values()) else 1
    height, width = train.images.shape[1:]
    return Dataset(
        name=name,
        image_shape=(height, width),
        train=_rows(train, white),
        validation=_rows(validation, white),
        test=_rows(test, white),
        train_labels=train.labels,
        validation_labels=validation.labels,
        test_labels=test.labels,
    )


def _check(where: str, images: NDArray[Any], *, like: NDArray[Any]) -> None:
    if images.ndim != 3:
        color = " (color?)" if images.ndim == 4 else ""
        raise DataError(
            f"{where}: expected gray images, (n, height, width), found {images.shape}{color}; {AS_PICTURES}"
        )
    if len(images) == 0:
        rest = (
            "add some"
            if images is like
            else "add some, or leave that split out: it is then cut from the training images"
        )
        raise DataError(f"{where}: there are none, the shape is {images.shape}; {rest}")
    if 0 in images.shape[1:]:
        raise DataError(
            f"{where}: they have no pixels: expected a height and a width of 1 or more, found {_size(images)}; "
            "write them again from their source"
        )
    if images.dtype not in DTYPES:
        raise DataError(
            f"{where}: expected 8 bits a pixel (uint8, or bool), found {images.dtype}; bring them to 0..255, or "
            f"{AS_PICTURES}"
        )
    if images.shape[1:] != like.shape[1:]:
        raise DataError(
            f"{where}: expected the size of the training images, {_size(like)}, found {_size(images)}; "
            "resize one of them"
        )


def _check_number(name: str, train: Split, *, absent: list[str]) -> None:
    fewest = HELD_OUT + len(absent) - 1  # so that each cut, the test split's first, has as many to cut from
    if absent and len(train.images) < fewest:
        raise DataError(
            f"{name}: {count_of(len(train.images), 'training image')}: expected {fewest} or more, for the "
            f"{' and '.join(absent)} images are cut from them; add some"
        )


def _cut(split: Split) -> tuple[Split, Split]:
    count = len(split.images)
    train_count = count - count // HELD_OUT
    return split[:train_count], split[train_count:]


def _rows(split: Split, white: int) -> NDArray[np.uint8]:
    rows = split.images.reshape(len(split.images), math.prod(split.images.shape[1:])).astype(np.uint8, copy=False)
    return rows if white == 1 else rows * np.uint8(white)


def _size(images: NDArray[Any]) -> str:
    height, width = images.shape[1:]
    return f"{height} x {width}"
