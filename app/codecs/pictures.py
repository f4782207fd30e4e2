"""Image files to images and back, with Pillow. Fetches nothing, and believes no declared type."""

import io
import math
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from PIL import Image

from app.codecs.jpeg_scans import count_scans
from app.codecs.limits import Limits
from app.codecs.wording import wrong_value
from app.exceptions import MalformedBodyError, TooLargeError
from training.config import ModelConfig
from training.data.pictures import DECODING_ERRORS, FORMATS, to_image
from training.errors import DataError

_READABLE = "PNG, JPEG, WebP, GIF, BMP and TIFF"

_MAX_JPEG_SCANS = 100

# Pillow warns of large pictures, which have a limit here, and of odd metadata, which doesn't matter here.
_PILLOW_WARNINGS = ("ignore", None, Warning, re.compile(r"PIL\."), 0)

# A picture takes up to 16 bytes a pixel while it is decoded: of those larger than this, one at a time is.
_LARGE_PIXELS = 1_000_000
_large_picture = threading.RLock()

_GAP = 2
_GAP_SHADE = 64


@dataclass(frozen=True, slots=True)
class PictureFile:
    """An image file, not decoded yet."""

    where: str
    """Path of the file in the request, such as `body.files[2]`."""

    data: bytes


def parse_picture(
    data: bytes, *, model: ModelConfig, limits: Limits, invert: bool, where: str
) -> Float32[ndarray, "height width"]:
    """Return the image in an image file: upright, flattened onto black, gray, resized, in [0, 1].

    `invert` is for drawings that are dark on light: they are flattened onto white, and 1 - x is returned.
    The bytes decide which format it is. Of an animation the first frame counts.

    Raises:
        MalformedBodyError: The file can't be decoded.
        TooLargeError: The file's header announces too many pixels.
        InvalidValueError: A pixel isn't finite.
    """
    images = parse_pictures([PictureFile(where, data)], model=model, limits=limits, invert=invert)
    image: Float32[ndarray, "height width"] = images[0]
    return image


def parse_pictures(
    files: Sequence[PictureFile], *, model: ModelConfig, limits: Limits, invert: bool
) -> Float32[ndarray, "batch height width"]:
    """Return the images in image files, as `parse_picture` does; they share the limit of pixels."""
    images = np.empty((len(files), *model.image_shape), np.float32)
    pixels = 0
    _ignore_pillow_warnings()
    for index, file in enumerate(files):
        _check_scans(file)
        with ExitStack() as stack:
            if file.data[8:12] == b"WEBP":  # takes its room when it is opened
                stack.enter_context(_large_picture)
            stack.enter_context(_decoding_errors(file, limits))
            picture = stack.enter_context(Image.open(io.BytesIO(file.data), formats=FORMATS))
            pixels += picture.width * picture.height
            if pixels > limits.max_pixels:
                raise _too_many_pixels(file, limits)
            if picture.width * picture.height > _LARGE_PIXELS:
                stack.enter_context(_large_picture)
            picture.load()
            images[index] = to_image(picture, image_shape=model.image_shape, invert=invert)
    return images


def dump_png(probs: Float32[ndarray, "batch height width"]) -> bytes:
    """Return a PNG of one picture as it is, or of several as a grid, row by row, with gray between them."""
    cells = np.rint(np.clip(probs, 0, 1) * 255).astype(np.uint8)
    count, height, width = cells.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    padded = np.full((rows * columns, height + _GAP, width + _GAP), _GAP_SHADE, np.uint8)
    padded[:count, :height, :width] = cells
    grid = padded.reshape(rows, columns, height + _GAP, width + _GAP).swapaxes(1, 2)
    pixels = grid.reshape(rows * (height + _GAP), columns * (width + _GAP))[:-_GAP, :-_GAP]
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
    return file.getvalue()


@contextmanager
def _decoding_errors(file: PictureFile, limits: Limits) -> Iterator[None]:
    """Turn whatever Pillow raises into a `RequestError`."""
    try:
        yield
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(file, limits) from error
    except DataError as error:  # a pixel that isn't finite
        raise wrong_value(file.where, str(error)) from error
    except DECODING_ERRORS as error:
        what = "can't be read as a picture" if file.data else "is empty"
        raise MalformedBodyError(f"{file.where} {what}: send a whole file, of {_READABLE}") from error


def _check_scans(file: PictureFile) -> None:
    if file.data.startswith(b"\xff\xd8") and count_scans(file.data, at_most=_MAX_JPEG_SCANS) > _MAX_JPEG_SCANS:
        raise TooLargeError(f"{file.where} has over {_MAX_JPEG_SCANS} scans: save it as a baseline JPEG or a PNG")


def _ignore_pillow_warnings() -> None:
    # Not with warnings.catch_warnings, which other threads would see come and go (until Python 3.14).
    if _PILLOW_WARNINGS not in warnings.filters:
        warnings.filterwarnings("ignore", module=r"PIL\.")


def _too_many_pixels(file: PictureFile, limits: Limits) -> TooLargeError:
    return TooLargeError(
        f"{file.where} brings the pictures to more than {limits.max_pixels} pixels:"
        " make them smaller, or send fewer at a time"
    )
