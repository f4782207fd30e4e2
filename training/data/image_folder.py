"""A folder of image files of any size and kind, as a data set. They are decoded as the service decodes them."""

import hashlib
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from training.counts import count_of
from training.data.dataset import Dataset
from training.data.file_search import SUFFIXES, find_image_files
from training.data.folders import find_folder
from training.data.image_formats import DECODING_ERRORS, FORMATS, open_image
from training.data.image_preprocessing import preprocess
from training.errors import DataError
from training.machine import physical_memory

UNREADABLE_PERCENT: Final = 1
"""Percentage of the image files that may be unreadable: they are listed and left out. Above it loading fails."""

_LISTED: Final = 20

_logger = logging.getLogger(__name__)


def load_image_folder(name: str, folder: Path, *, image_shape: tuple[int, int], invert: bool) -> Dataset:
    """Return the images in a folder and in all below it: upright, flattened, gray, resized to `image_shape`.

    An image's split follows from the SHA-256 of its file alone, modulo 10: 0 is test, 1 validation, the others train.
    So it stays in its split whatever is added, removed, renamed or moved, and copies of one file are in one split,
    whatever their names: a split by name would test on some of the images trained on. Each split is in the order of
    the hashes, so that names decide nothing at all.

    If no file holds another level than 0 and 1, they are masks, and 1 becomes white.

    Args:
        name: The data set's name.
        folder: Folder of the image files; links to folders are followed.
        image_shape: Height and width that they are resized to.
        invert: They are dark on light, and become light on dark.

    Raises:
        DataError: There is no such folder, there are too few image files, over 1% of them can't be read, or the images
            are larger than this machine's memory.
    """
    folder = find_folder(name, folder, content="image files")
    files = find_image_files(folder)
    left_out = f"; left out: {files.left_out}" if files.left_out else ""
    if not files.paths:
        raise DataError(
            f"{name}: there are no image files in {folder}: expected files that end in {', '.join(sorted(SUFFIXES))}, "
            f"there or in folders below{left_out}"
        )
    if left_out:
        _logger.warning("%s: %d image files found%s", name, len(files.paths), left_out)
    _check_memory(name, len(files.paths), image_shape)
    images = _read_all(name, folder, files.paths, image_shape, invert=invert)
    splits: tuple[list[NDArray[np.uint8]], ...] = ([], [], [])
    for image in sorted(images, key=lambda image: image.digest):
        splits[_split_of(image.digest)].append(image.levels)
    if not all(splits):
        counts = ", ".join(str(len(split)) for split in splits)
        distinct = len({image.digest for image in images})
        found, advice = f"too few image files, {distinct}", "add some: 100"
        if distinct < len(images):  # copies share a split
            found = f"too few distinct image files, {distinct} among {len(images)}"
            advice = "add files of other content, for copies share a split: 100 distinct ones"
        raise DataError(
            f"{name}: {found}: of training, validation and test (8:1:1, by the hash of each file) they leave one empty "
            f"({counts}); {advice} are enough"
        )
    train, validation, test = (np.stack(split) for split in splits)
    return Dataset(name=name, image_shape=image_shape, train=train, validation=validation, test=test)


def _check_memory(name: str, count: int, image_shape: tuple[int, int]) -> None:
    height, width = image_shape
    needed, available = 2 * count * height * width, physical_memory()  # as a list, and stacked
    if needed > available:
        raise DataError(
            f"{name}: {count_of(count, 'image')} of {height}x{width} pixels take at least {needed / 2**30:,.1f} GiB: "
            f"expected at most the {available / 2**30:,.1f} GiB that this process may use; "
            "use a smaller --image-size or fewer files"
        )


@dataclass(frozen=True, slots=True)
class _Image:
    digest: bytes
    levels: NDArray[np.uint8]
    is_mask: bool
    """True if the file holds no other levels than 0 and 1, or 1 bit a pixel."""
    is_scaled: bool
    """True if white is a higher level than 1 in the file."""


def _read_all(
    name: str, folder: Path, paths: Sequence[Path], image_shape: tuple[int, int], *, invert: bool
) -> list[_Image]:
    images: list[_Image] = []
    readable: list[Path] = []
    unreadable: list[str] = []
    with warnings.catch_warnings():
        # Pillow warns of large images and of odd metadata, neither of which matters here.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        for path in paths:
            try:
                images.append(_read(path, image_shape, invert=invert))
                readable.append(path)
            except (*DECODING_ERRORS, DataError, Image.DecompressionBombError) as error:
                unreadable.append(f"{path.relative_to(folder)} ({_reason(error)})")
        _report(name, unreadable, count=len(paths))
        # Level 1 of 255 is almost black, but where no other level occurs anywhere it can only mean "on".
        if all(image.is_mask for image in images) and any(image.is_scaled for image in images):
            _logger.warning("%s: the image files hold nothing but the levels 0 and 1: 1 is taken as white", name)
            return [_read(path, image_shape, invert=invert, as_mask=True) for path in readable]
    return images


def _read(path: Path, image_shape: tuple[int, int], *, invert: bool, as_mask: bool = False) -> _Image:
    content = path.read_bytes()
    gray = open_image(content).decode()
    image = preprocess(gray, image_shape=image_shape, invert=invert, as_mask=as_mask)
    return _Image(
        hashlib.sha256(content).digest(),
        np.rint(image * 255).astype(np.uint8).ravel(),
        is_mask=gray.is_mask or gray.is_bilevel,
        is_scaled=not gray.is_bilevel,
    )


def _split_of(digest: bytes) -> int:
    remainder = int.from_bytes(digest) % 10
    return {0: 2, 1: 1}.get(remainder, 0)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"no {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _report(name: str, unreadable: Sequence[str], *, count: int) -> None:
    if not unreadable:
        return
    listed = ", ".join(unreadable[:_LISTED]) + (f", and {more} more" if (more := len(unreadable) - _LISTED) > 0 else "")
    problem = f"{name}: {len(unreadable)} of {count} image files can't be read: {listed}"
    if len(unreadable) * 100 > count * UNREADABLE_PERCENT:
        raise DataError(f"{problem}; up to {UNREADABLE_PERCENT} % would be left out: repair or remove them")
    _logger.warning("%s; left out", problem)
