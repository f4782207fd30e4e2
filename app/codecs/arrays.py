"""Checks arrays of numbers and converts them to a model's input: float32, batch first. Reads no bytes."""

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from jaxtyping import Float32, Shaped
from numpy import ndarray

from app.codecs.error_messages import invalid_value
from app.codecs.limits import Limits
from app.errors import InvalidValueError, TooLargeError
from training.config import ModelConfig

_BITS_OF_ONE: Final[Mapping[np.dtype, np.generic]] = {
    np.dtype(np.float32): np.float32(1).view(np.uint32),
    np.dtype(np.float64): np.float64(1).view(np.uint64),
}

_OVERSHOOT: Final = 0.5
"""More than rounding and the ringing of a resizing filter add to images in [0, 1]; less than another scale does."""


def as_images(
    array: Shaped[ndarray, "..."], *, model: ModelConfig, limits: Limits, where: str
) -> Float32[ndarray, "batch pixels"]:
    """Return images in [0, 1], from floats in [0, 1] or from uint8 0..255.

    The array is (n, pixels), (n, height, width), or one image without the first axis. The result may be
    a view of it, and as read-only as it.

    Raises:
        InvalidValueError: The shape, the dtype or a value is wrong.
        TooLargeError: There are more images than the limit.
    """
    _check_dtype(array, where)
    shapes = image_shapes(model)
    if array.shape in shapes:
        return _as_pixels(array.reshape(1, -1), name=lambda _: where)
    if array.shape == (0,) or (array.shape[:1] == (0,) and array.shape[1:] in shapes):
        raise invalid_value(where, "holds no images: expected at least one")
    if array.size == 0 or array.shape[1:] not in shapes:
        height, width = model.image_shape
        single_shapes = f"({model.image_dim},) or ({height}, {width})"
        batch_shapes = f"(n, {model.image_dim}), (n, {height}, {width})"
        raise _wrong_shape(array, f"{batch_shapes}, or one image of {single_shapes}", where)
    check_count(len(array), limits=limits, where=where)
    return _as_pixels(array.reshape(len(array), -1), name=lambda index: f"{where}[{index}]")


def as_image(array: Shaped[ndarray, "..."], *, model: ModelConfig, where: str) -> Float32[ndarray, "pixels"]:
    """Return one image, from (pixels,) or (height, width), under the rules of `as_images`."""
    _check_dtype(array, where)
    if array.shape not in image_shapes(model):
        height, width = model.image_shape
        raise _wrong_shape(array, f"one image of ({model.image_dim},) or ({height}, {width})", where)
    image: Float32[ndarray, "pixels"] = _as_pixels(array.reshape(1, -1), name=lambda _: where)[0]
    return image


def as_latents(
    array: Shaped[ndarray, "..."], *, model: ModelConfig, limits: Limits, where: str
) -> Float32[ndarray, "batch latent"]:
    """Return latents, from (n, latent_dim) or one (latent_dim,) of floats or integers.

    Raises:
        InvalidValueError: The shape or the dtype is wrong, or a value isn't finite as float32.
        TooLargeError: There are more latents than the limit.
    """
    dim = model.latent_dim
    if array.shape in {(0,), (0, dim)}:
        raise invalid_value(where, "holds no latents: expected at least one")
    if array.ndim not in {1, 2} or array.size == 0 or array.shape[-1] != dim:
        raise _wrong_shape(array, f"(n, {dim}), or one latent of ({dim},)", where)
    rows = array.reshape(-1, dim)
    check_count(len(rows), limits=limits, where=where)
    if array.dtype.kind not in "fiu":
        raise invalid_value(where, f"has dtype {array.dtype}: expected numbers, such as float32")
    with np.errstate(over="ignore", invalid="ignore"):
        latents = np.ascontiguousarray(rows, dtype=np.float32)
    finite = np.isfinite(latents)
    if not finite.all():
        index, column = divmod(int(finite.argmin()), dim)
        name = where if array.ndim == 1 else f"{where}[{index}]"
        raise invalid_value(name, f"has the value {rows[index, column]} at {column}: expected finite float32 numbers")
    return latents


def check_count(count: int, *, limits: Limits, where: str) -> None:
    """Raise a `TooLargeError` if that many images or latents are over the limit."""
    if count > limits.max_images:
        raise TooLargeError(f"{where} holds {count} items: send at most {limits.max_images} at a time")


def image_shapes(model: ModelConfig) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of one image: of rows, and flat."""
    return (model.image_shape, (model.image_dim,))


def _check_dtype(array: Shaped[ndarray, "..."], where: str) -> None:
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        expected = "expected uint8 from 0 to 255, or floats such as float32 from 0 to 1"
        raise invalid_value(where, f"has dtype {array.dtype}: {expected}")


def _as_pixels(
    rows: Shaped[ndarray, "batch pixels"], *, name: Callable[[int], str]
) -> Float32[ndarray, "batch pixels"]:
    """Return rows of pixels in [0, 1]; `name` returns the path of a wrong one."""
    if rows.dtype == np.uint8:
        scaled: Float32[ndarray, "batch pixels"] = np.divide(rows, np.float32(255), dtype=np.float32)
        return scaled
    # Before the conversion, which would round 1.0000000001 to 1.
    if not _is_in_range(rows):
        raise _out_of_range(rows, name)
    return np.ascontiguousarray(rows, dtype=np.float32)


def _is_in_range(rows: Shaped[ndarray, "batch pixels"]) -> bool:
    # As unsigned integers, the bits of floats from 0 up are in order; those of NaN and negative floats are greater.
    one = _BITS_OF_ONE.get(rows.dtype)
    if one is not None:
        bits = rows.view(one.dtype).reshape(-1)
        # For one image, `max` takes three times as long.
        if bits[bits.argmax()] <= one:
            return True
    with np.errstate(invalid="ignore"):  # a comparison with NaN is false
        return bool(rows.min() >= 0) and bool(rows.max() <= 1)


def _out_of_range(rows: Shaped[ndarray, "batch pixels"], name: Callable[[int], str]) -> InvalidValueError:
    with np.errstate(invalid="ignore"):
        right = (rows >= 0) & (rows <= 1)
    index, pixel = divmod(int(right.argmin()), rows.shape[1])
    value = rows[index, pixel]
    return invalid_value(name(index), f"has the value {value} at pixel {pixel}: expected 0 to 1{_hint(rows[index])}")


def _hint(image: Shaped[ndarray, "pixels"]) -> str:
    """Return what to do about an image out of range, from the range that it has; nothing if that isn't finite."""
    with np.errstate(invalid="ignore"):
        low, high = float(image.min()), float(image.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    if low >= -_OVERSHOOT and high <= 1 + _OVERSHOOT:
        return " (clip values just outside it)"
    if low >= 0 and high <= 255:
        return " (divide 0..255 by 255)"
    if low >= -1 and high <= 1:
        return " (map -1..1 to it by (x + 1) / 2)"
    return " (rescale: black is 0 and white is 1)"


def _wrong_shape(array: Shaped[ndarray, "..."], expected: str, where: str) -> InvalidValueError:
    return invalid_value(where, f"has shape {array.shape}: expected {expected}")
