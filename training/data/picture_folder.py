"""A folder of pictures of any size and mode, as a data set. The pictures are read as the service reads them."""

import hashlib
import io
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from training.data.dataset import Dataset
from training.data.pictures import DECODING_ERRORS, FORMATS, to_image
from training.errors import DataError

SUFFIXES: Final = frozenset({".png", ".apng", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
"""How the name of a picture ends, in any case; other files are left alone, and so is what begins with a dot."""

UNREADABLE_PERCENT: Final = 1
"""Of all pictures, as many may be unreadable: they are listed and left out. With more the folder is refused."""

_LISTED: Final = 20

_logger = logging.getLogger(__name__)


def load_picture_folder(name: str, folder: Path, *, image_shape: tuple[int, int], invert: bool) -> Dataset:
    """Return the pictures in a folder and in all below it: upright, flattened, gray, resized to `image_shape`.

    A picture's part follows from the SHA-256 of its file alone, modulo 10: 0 is test, 1 validation, the others train.
    So it stays on its side whatever is added, removed, renamed or moved, and copies of one picture are on one side,
    whatever their names: a split by name would test on some of the pictures trained on. Each part is in the order of
    the hashes, so that names decide nothing at all.

    Args:
        name: The data set's name.
        folder: Where the pictures are.
        image_shape: Height and width that they are resized to.
        invert: They are dark on light, and become light on dark.

    Raises:
        DataError: There is no such folder, there are too few pictures, or over 1 % of them can't be read.
    """
    if not folder.is_dir():
        raise DataError(f"{name}: there is no folder {folder}; name one that holds pictures")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and _is_shown(path, folder))
    if not paths:
        raise DataError(
            f"{name}: there are no pictures in {folder}: expected files that end in {', '.join(sorted(SUFFIXES))}, "
            "there or in folders below"
        )
    images: list[tuple[bytes, NDArray[np.uint8]]] = []
    unreadable: list[str] = []
    with warnings.catch_warnings():
        # Pillow warns of large pictures and of odd metadata, neither of which matters here.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        for path in paths:
            try:
                content = path.read_bytes()
                images.append((hashlib.sha256(content).digest(), _read(content, image_shape, invert=invert)))
            except (*DECODING_ERRORS, DataError, Image.DecompressionBombError) as error:
                unreadable.append(f"{path.relative_to(folder)} ({_reason(error)})")
    _report(name, unreadable, count=len(paths))
    parts: tuple[list[NDArray[np.uint8]], ...] = ([], [], [])
    for digest, image in sorted(images, key=lambda item: item[0]):
        parts[_part(digest)].append(image)
    if not all(parts):
        counts = ", ".join(str(len(part)) for part in parts)
        raise DataError(
            f"{name}: too few pictures, {len(images)}: of training, validation and test (8:1:1, by the hash of each "
            f"file) they leave one empty ({counts}); add pictures: 100 are enough"
        )
    train, validation, test = (np.stack(part) for part in parts)
    return Dataset(name=name, image_shape=image_shape, train=train, validation=validation, test=test)


def _is_shown(path: Path, folder: Path) -> bool:
    # macOS leaves a `._photo.jpg` beside each photo on other disks, which is none.
    return path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)


def _read(content: bytes, image_shape: tuple[int, int], *, invert: bool) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        picture.load()
        image = to_image(picture, image_shape=image_shape, invert=invert)
    levels: NDArray[np.uint8] = np.rint(image * 255).astype(np.uint8)
    return levels.ravel()


def _part(digest: bytes) -> int:
    remainder = int.from_bytes(digest) % 10
    return {0: 2, 1: 1}.get(remainder, 0)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "no PNG, JPEG, WebP, GIF, BMP or TIFF"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _report(name: str, unreadable: Sequence[str], *, count: int) -> None:
    if not unreadable:
        return
    shown = ", ".join(unreadable[:_LISTED]) + (f", and {more} more" if (more := len(unreadable) - _LISTED) > 0 else "")
    found = f"{name}: {len(unreadable)} of {count} pictures can't be read: {shown}"
    if len(unreadable) * 100 > count * UNREADABLE_PERCENT:
        raise DataError(f"{found}; up to {UNREADABLE_PERCENT} % would be left out: mend or remove them")
    _logger.warning("%s; left out", found)
