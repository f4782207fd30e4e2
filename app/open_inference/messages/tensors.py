"""Tensors on the wire to arrays and back: datatypes, shapes, binary and JSON contents. Knows no message around them."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from jaxtyping import Float64, Shaped
from numpy import ndarray

from app.codecs.arrays import as_images, as_latents, check_count
from app.codecs.error_messages import invalid_value, truncated
from app.codecs.json_arrays import numbers
from app.codecs.limits import Limits
from app.errors import InvalidValueError, TooLargeError
from app.open_inference.signatures import TensorSpec
from training.config import ModelConfig
from training.counts import count_of

DTYPES: Final[Mapping[str, np.dtype[Any]]] = {"FP32": np.dtype("<f4"), "INT32": np.dtype("<i4")}
"""Datatypes that some signature declares, in the wire's byte order."""

_INT32: Final = np.iinfo(np.int32)


def check_header(spec: TensorSpec, *, datatype: object, shape: object, limits: Limits, where: str) -> tuple[int, ...]:
    """Return the shape of an input, checked against its declaration before anything of that size is made.

    Raises:
        InvalidValueError: The datatype or the shape isn't the declared one.
        TooLargeError: The batch is over the limit.
    """
    if datatype != spec.datatype:
        found = truncated(datatype) if isinstance(datatype, str) else "not a string"
        raise invalid_value(f"{where}.datatype", f"is {found}: expected '{spec.datatype}'")
    sizes = ", ".join("n" if size == -1 else str(size) for size in spec.shape)
    expected = f"expected [{sizes}]{', where n is the number of items' if spec.is_batched else ''}"
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape[: len(spec.shape)]):
        raise invalid_value(f"{where}.shape", f"is not a list of whole numbers of 0 or more: {expected}")
    if len(shape) != len(spec.shape) or any(
        declared not in {size, -1} for declared, size in zip(spec.shape, shape, strict=True)
    ):
        raise invalid_value(f"{where}.shape", f"is {_show(shape)}: {expected}")
    if spec.is_batched:
        if shape[0] == 0:
            raise invalid_value(f"{where}.shape", f"is {_show(shape)}: the batch must have at least one item")
        check_count(shape[0], limits=limits, where=where)
    return tuple(shape)


def count_bytes(spec: TensorSpec, shape: tuple[int, ...]) -> int:
    """Return the length of a tensor of that shape in binary."""
    return math.prod(shape) * DTYPES[spec.datatype].itemsize


def infer_raw_shape(spec: TensorSpec, nbytes: int, *, limits: Limits) -> tuple[int, ...]:
    """Return the shape of a tensor from its bytes alone, by which the size of the batch is found.

    Raises:
        InvalidValueError: They hold no item, or a part of one.
        TooLargeError: They hold more items than the limit.
    """
    item_shape = tuple(size for size in spec.shape if size != -1)
    item = count_bytes(spec, item_shape)
    if nbytes == 0 or nbytes % item or (not spec.is_batched and nbytes != item):
        expected = f"{item} bytes" + (" an item" if spec.is_batched else "")
        raise invalid_value(
            "body", f"has {count_of(nbytes, 'byte')}: expected {expected} of {spec.name} in {spec.datatype}"
        )
    if not spec.is_batched:
        return item_shape
    check_count(nbytes // item, limits=limits, where="body")
    return (nbytes // item, *item_shape)


def read_bytes(spec: TensorSpec, shape: tuple[int, ...], content: bytes) -> Shaped[ndarray, "..."]:
    """Return the array of a tensor's bytes, of which there are as many as the shape takes."""
    return np.frombuffer(content, DTYPES[spec.datatype]).reshape(shape)


def read_json(
    spec: TensorSpec, shape: tuple[int, ...], value: object, *, where: str, may_be_boolean: bool
) -> Shaped[ndarray, "..."]:
    """Return the array of a tensor's JSON numbers, row-major, nested or flat: float64, or int32; `where` is their path.

    Raises:
        InvalidValueError: One isn't a number, not one of the datatype, or there are too few or too many.
    """
    if not isinstance(value, list):
        raise invalid_value(where, "is not a list: expected a list of numbers")
    array = numbers(value, where=where, may_be_boolean=may_be_boolean)
    if array.size != math.prod(shape):
        raise invalid_value(
            where,
            f"holds {count_of(array.size, 'number')}: expected {math.prod(shape)}, as its shape {_show(shape)} says",
        )
    if spec.datatype == "INT32":
        array = _as_int32(array, where=where)
    return array.reshape(shape)


def check_values(
    spec: TensorSpec, array: Shaped[ndarray, "..."], *, model: ModelConfig, limits: Limits, where: str
) -> Shaped[ndarray, "..."]:
    """Return the array as the model takes it: images and latents as float32 rows, the count as it is.

    Raises:
        InvalidValueError: A value isn't finite, or out of range.
        TooLargeError: The count is over the limit.
    """
    return _CHECKS[spec.name](array, model, limits, where)


def as_wire(spec: TensorSpec, array: Shaped[ndarray, "..."]) -> Shaped[ndarray, "..."]:
    """Return an output in its declared datatype, row-major."""
    return np.ascontiguousarray(array, DTYPES[spec.datatype])


def check_json_output(spec: TensorSpec, array: Shaped[ndarray, "..."]) -> None:
    """Raise an `InvalidValueError` if the array holds a number that JSON can't express."""
    if not np.isfinite(array).all():
        raise InvalidValueError(
            f"output {spec.name} isn't finite, for the numbers sent are too large: send smaller ones, or request it "
            "in binary"
        )


def _as_int32(array: Float64[ndarray, "..."], *, where: str) -> Shaped[ndarray, "..."]:
    if not ((array == np.floor(array)) & (array >= _INT32.min) & (array <= _INT32.max)).all():
        raise invalid_value(where, "holds a number that isn't a whole one of 32 bits: expected INT32")
    return array.astype(np.int32)


def _check_images(array: ndarray, model: ModelConfig, limits: Limits, where: str) -> ndarray:
    return as_images(array, model=model, limits=limits, where=where)


def _check_latents(array: ndarray, model: ModelConfig, limits: Limits, where: str) -> ndarray:
    return as_latents(array, model=model, limits=limits, where=where)


def _check_n(array: ndarray, _: ModelConfig, limits: Limits, where: str) -> ndarray:
    count = int(array[0])
    if count < 1:
        raise invalid_value(where, f"is {count}: expected 1 to {limits.max_images}")
    if count > limits.max_images:
        raise TooLargeError(f"{where} is {count}: request at most {limits.max_images} at a time")
    return array


_CHECKS: Final[Mapping[str, Callable[[ndarray, ModelConfig, Limits, str], ndarray]]] = {
    "images": _check_images,
    "latents": _check_latents,
    "eps": _check_latents,
    "n": _check_n,
}


def _show(shape: list[int] | tuple[int, ...]) -> str:
    return truncated(str(list(shape[:8]))).strip("'\"") + ("..." if len(shape) > 8 else "")
