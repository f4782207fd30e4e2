"""Image files to image arrays and back. Fetches nothing, and believes no declared type."""

import binascii
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

from app.codecs.error_messages import invalid_value, truncated
from app.codecs.limits import Limits
from app.codecs.other_files import name_kind
from app.errors import MalformedBodyError, TooLargeError, UnsupportedContentError
from training.config import ModelConfig
from training.data.centering import center
from training.data.image_formats import ALLOCATING_ON_OPEN, DECODING_ERRORS, FORMATS, detect_format, open_image
from training.data.image_formats.heif import MissingHeicError
from training.data.image_formats.jpeg import TooManyScansError
from training.data.image_preprocessing import preprocess
from training.errors import DataError

_READABLE = f"{', '.join(FORMATS[:-1])} and {FORMATS[-1]}"

# Pillow warns of large images, which have a limit here, and of odd metadata, which doesn't matter here.
_PILLOW_WARNINGS = ("ignore", None, Warning, re.compile(r"PIL\."), 0)

# Decoding takes up to 16 bytes a pixel, so larger images than this are decoded one at a time.
_LARGE_PIXELS = 1_000_000
_large_image = threading.RLock()

_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_WHITE_SPACE = b"\t\n\v\f\r "

# All that base64 can need. `urllib.parse.unquote` would take seconds for 30 MB, and hold the GIL.
_ESCAPES = {
    **dict.fromkeys((b"%2B", b"%2b"), b"+"),
    **dict.fromkeys((b"%2F", b"%2f"), b"/"),
    **dict.fromkeys((b"%3D", b"%3d"), b"="),
    # Not nothing, or what remains could form another escape.
    **dict.fromkeys((b"%0A", b"%0a", b"%0D", b"%0d", b"%20"), b" "),
}

# Of a data: URL's media type no more is read, however long it is.
_MEDIA_TYPE_END = 64

_GAP = 2
_GAP_SHADE = 64


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An undecoded image file."""

    where: str
    """Path of the file in the request, such as `body.files[2]`."""

    data: bytes


def decode_image(
    data: bytes, *, model: ModelConfig, limits: Limits, invert: bool, where: str
) -> Float32[ndarray, "height width"]:
    """Return the image in an image file: upright, flattened onto black, gray, resized, in [0, 1].

    `invert` is for drawings that are dark on light: they are flattened onto white, and 1 - x is returned.
    The bytes decide the format. Of an animation or of several pages the first is decoded.

    Raises:
        MalformedBodyError: The file can't be decoded.
        TooLargeError: The file's header announces too many pixels, or it has too many scans.
        InvalidValueError: Its kind of pixel isn't supported, or a float is outside [0, 1].
        UnsupportedContentError: It is HEIC, and the extra isn't installed.
    """
    images = decode_images([ImageFile(where, data)], model=model, limits=limits, invert=invert)
    image: Float32[ndarray, "height width"] = images[0]
    return image


def decode_images(
    files: Sequence[ImageFile], *, model: ModelConfig, limits: Limits, invert: bool | None, centre: bool = False
) -> Float32[ndarray, "batch height width"]:
    """Return the images in image files, as `decode_image` does; they share the limit of pixels.

    With `centre` the drawings are cropped and centered by `training.data.centering.center`.

    Raises:
        InvalidValueError: There is no ink to center, besides the errors of `decode_image`.
    """
    images = np.empty((len(files), *model.image_shape), np.float32)
    pixels = 0
    _ignore_pillow_warnings()
    for index, file in enumerate(files):
        with ExitStack() as stack:
            if detect_format(file.data) in ALLOCATING_ON_OPEN:
                stack.enter_context(_large_image)
            stack.enter_context(_decoding_errors(file, limits))
            opened = open_image(file.data)
            pixels += opened.pixels
            if pixels > limits.max_pixels:
                raise _too_many_pixels(file, limits)
            if opened.pixels > _LARGE_PIXELS:
                stack.enter_context(_large_image)
            gray = opened.decode()
            if centre:
                images[index] = center(gray, image_shape=model.image_shape, invert=invert)
            else:
                images[index] = preprocess(gray, image_shape=model.image_shape, invert=bool(invert))
    return images


def decode_base64(text: str, *, where: str) -> bytes:
    """Return the bytes of base64 text, of either alphabet, padded or not; white space is skipped.

    In a `data:` URL the characters +, / and =, line breaks and spaces may be percent-encoded, and no others.

    Raises:
        MalformedBodyError: It isn't base64, nor a `data:` URL of base64.
    """
    try:
        return binascii.a2b_base64(_plain_base64(text), strict_mode=True)
    except ValueError:
        raise MalformedBodyError(
            f"{where} is {truncated(text)}: expected an image file in base64, or a data: URL of it, and no other URL"
        ) from None


def dump_png(probs: Float32[ndarray, "batch height width"], *, scale: int = 1) -> bytes:
    """Return a PNG of one image, or of several as a grid, row by row, with gray between them.

    Each pixel becomes a square of `scale` pixels a side.
    """
    cells = np.rint(np.clip(probs, 0, 1) * 255).astype(np.uint8)
    count, height, width = cells.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    padded = np.full((rows * columns, height + _GAP, width + _GAP), _GAP_SHADE, np.uint8)
    padded[:count, :height, :width] = cells
    grid = padded.reshape(rows, columns, height + _GAP, width + _GAP).swapaxes(1, 2)
    pixels = grid.reshape(rows * (height + _GAP), columns * (width + _GAP))[:-_GAP, :-_GAP]
    if scale > 1:
        pixels = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
    return file.getvalue()


@contextmanager
def _decoding_errors(file: ImageFile, limits: Limits) -> Iterator[None]:
    """Turn any exception of the decoders into a `RequestError`."""
    try:
        yield
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(file, limits) from error
    except TooManyScansError as error:
        raise TooLargeError(f"{file.where} {error}") from error
    except MissingHeicError as error:
        raise UnsupportedContentError(f"{file.where} {error}") from error
    except DataError as error:
        raise invalid_value(file.where, str(error)) from error
    except DECODING_ERRORS as error:
        if (kind := name_kind(file.data)) is not None:
            raise MalformedBodyError(f"{file.where} is {kind}: send an image file, of {_READABLE}") from error
        problem = "can't be read as an image file" if file.data else "is empty"
        raise MalformedBodyError(f"{file.where} {problem}: send a whole file, of {_READABLE}") from error


def _ignore_pillow_warnings() -> None:
    # Not with warnings.catch_warnings, which changes the filters of all threads (until Python 3.14).
    if _PILLOW_WARNINGS not in warnings.filters:
        warnings.filterwarnings("ignore", module=r"PIL\.")


def _too_many_pixels(file: ImageFile, limits: Limits) -> TooLargeError:
    return TooLargeError(
        f"{file.where} brings the image files to more than {limits.max_pixels} pixels:"
        " make them smaller, or send fewer at a time"
    )


def _plain_base64(text: str) -> bytes:
    """Return base64 in the standard alphabet, padded, without white space, in a few passes in C.

    Raises:
        ValueError: It isn't ASCII, is another kind of URL, or has other escapes than base64 needs.
    """
    encoded = text.strip()
    is_url = encoded[:5].lower() == "data:"
    if is_url:
        media_type, comma, encoded = encoded.partition(",")
        if not comma or not "".join(media_type[-_MEDIA_TYPE_END:].split()).lower().endswith(";base64"):
            raise ValueError("no data: URL of base64")
    plain = encoded.encode("ascii")
    while is_url and (at := plain.find(b"%")) >= 0:
        escape = plain[at : at + 3]
        if escape not in _ESCAPES:
            raise ValueError("an escape that base64 doesn't need")
        plain = plain.replace(escape, _ESCAPES[escape])
    plain = plain.translate(_URL_SAFE, _WHITE_SPACE)
    return plain if plain.endswith(b"=") else plain + b"=" * (-len(plain) % 4)
