"""Request bodies from NumPy arrays, PIL images and paths. Image files are sent unchanged: the service decodes them."""

import io
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
from numpy import ndarray
from numpy.lib import format as npy_format
from numpy.typing import ArrayLike
from PIL import Image, ImageOps

ImageInput = ArrayLike | Image.Image | str | Path | Sequence[Image.Image | str | Path]
"""One or several images: an array (n, height, width), (n, pixels) or (height, width), uint8 from 0 to 255 or floats
from 0 to 1; PIL images; or paths of image files, or of one .npy or .npz file."""

_PNG_MODES: Final = {"1", "L", "LA", "I;16", "P", "RGB", "RGBA"}
_ALPHA_MODES: Final = {"PA": "RGBA", "La": "LA", "RGBa": "RGBA"}
"""Modes with transparency that PNG lacks, and those that have the same pixels."""

_NUMBER_MODES: Final = {"I", "F"}
"""Modes of Pillow whose black and white are unknown."""


_UNREADABLE: Final = (ValueError, TypeError, SyntaxError, TokenError, ArithmeticError, MemoryError, RecursionError)
"""NumPy's errors of a file that isn't npy, is cut short, or has a damaged header."""


class Body(NamedTuple):
    """The arguments of httpx's `request` that hold a body."""

    content: bytes | None = None
    files: list[tuple[str, tuple[str, bytes]]] | None = None
    headers: dict[str, str] = {}  # noqa: RUF012 -- never changed


def encode_images(images: ImageInput) -> Body:
    """Return a body of npy or npz for arrays, and a multipart form for PIL images and paths.

    Raises:
        ValueError: There is no image, or arrays, images and paths are mixed, or a PIL image has no range of values,
            or an npy file is damaged.
        OSError: A file can't be read.
    """
    items = images if isinstance(images, (list, tuple)) else [images]
    if not any(isinstance(item, (str, Path, Image.Image)) for item in items):
        return encode_array(images)
    if not all(isinstance(item, (str, Path, Image.Image)) for item in items):
        raise ValueError("images mixes arrays with image files: pass one array, or a list of PIL images and paths")
    if len(items) == 1 and isinstance(items[0], (str, Path)):
        path = Path(items[0])
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                return encode_array(read_npy(file, name=str(path)), name=str(path))
        if path.suffix.lower() == ".npz":
            return Body(content=path.read_bytes(), headers={"Content-Type": "application/x-npz"})
    return Body(files=[("files", _read_file(item, number)) for number, item in enumerate(items)])


def encode_array(values: Any, *, name: str = "the array") -> Body:
    """Return a body of npy; floats are sent as float32, integers and booleans in their own type.

    Args:
        values: Anything that NumPy makes an array of.
        name: Name of the array, for messages.

    Raises:
        ValueError: There is no value, or not all are numbers.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise ValueError(
            f"{name} has the dtype {array.dtype}: expected floats, integers or booleans; convert it with astype"
        )
    if array.size == 0:
        raise ValueError(f"{name} has the shape {array.shape}: expected at least one number; pass an image or latent")
    if array.dtype.kind == "f":
        array = array.astype(np.float32, copy=False)
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return Body(content=file.getvalue(), headers={"Content-Type": "application/x-npy"})


def read_npy(file: BinaryIO, *, name: str) -> ndarray:
    """Return the array of an npy file; objects are never unpickled.

    Args:
        file: The file, at its beginning.
        name: Name of the file, for the message.

    Raises:
        ValueError: It isn't a whole npy file, or holds objects.
        OSError: It can't be read.
    """
    try:
        array: ndarray = npy_format.read_array(file, allow_pickle=False)
    except _UNREADABLE as error:
        why = " ".join(str(error).split())
        raise ValueError(f"{name}: {why}: expected a whole npy file of numbers, as numpy.save writes it") from error
    return array


def _read_file(item: Image.Image | str | Path, number: int) -> tuple[str, bytes]:
    if not isinstance(item, Image.Image):
        return Path(item).name, Path(item).read_bytes()
    if item.mode in _NUMBER_MODES:
        raise ValueError(f"a PIL image has the mode {item.mode}: convert it to L, or pass an array of 0 to 1")
    upright = ImageOps.exif_transpose(item)
    if upright.mode.startswith("I;16"):  # of one of three byte orders
        upright = Image.fromarray(np.asarray(upright).astype("<u2"))
    if upright.mode not in _PNG_MODES:
        upright = upright.convert(_ALPHA_MODES.get(upright.mode, "RGB"))
    file = io.BytesIO()
    upright.save(file, "PNG")
    return f"image_{number}.png", file.getvalue()
