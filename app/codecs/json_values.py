"""JSON to numbers and back, with orjson. Knows nothing of images."""

import math
import struct
from collections.abc import Iterable
from itertools import chain
from typing import Any, cast

import numpy as np
import orjson
from jaxtyping import Float64
from numpy import ndarray

from app.codecs.wording import wrong_value
from app.exceptions import InvalidValueError, MalformedBodyError, TooLargeError

# An image has two levels, a batch of them three.
_MAX_DEPTH = 4

# An empty list takes 2 bytes of a body and 64 of memory; a batch of 1,024 images has some 30,000 lists.
_MAX_CONTAINERS = 1_000_000

_NUMBERS = frozenset({int, float})
_TYPE_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    str: "a string",
    list: "a list",
    dict: "an object",
}


def parse_object(body: bytes) -> dict[str, object]:
    """Return the members of a JSON object; of a name given twice, the last counts.

    Raises:
        MalformedBodyError: It isn't JSON (which knows no NaN and no Infinity), or isn't UTF-8.
        InvalidValueError: It is JSON, but not an object.
        TooLargeError: It has more lists and objects than any batch needs.
    """
    if not body:
        raise MalformedBodyError("the body is empty: send a JSON object")
    if len(body) > _MAX_CONTAINERS and body.count(b"[") + body.count(b"{") > _MAX_CONTAINERS:
        raise TooLargeError(f"the body has over {_MAX_CONTAINERS} lists and objects: send less at a time")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBodyError(
            f"the body isn't valid JSON at line {error.lineno}, column {error.colno}: {error.msg};"
            " send one JSON object, in UTF-8"
        ) from error
    if not isinstance(value, dict):
        raise wrong_value("body", f"is {_describe(value)}: expected a JSON object")
    return value


def numbers(value: object, *, where: str) -> Float64[ndarray, "..."]:
    """Return a number, or evenly nested lists of numbers, as a read-only array.

    Raises:
        InvalidValueError: Something in it isn't a number, or the lists are uneven; the path names the first.
    """
    shape = _measure(value, where, _MAX_DEPTH)
    flat: Iterable[Any] = cast("list[Any]", value) if shape else [value]
    for _ in shape[1:]:
        flat = chain.from_iterable(flat)
    # NumPy takes twice as long to make an array of a list.
    try:
        packed = struct.pack(f"{math.prod(shape)}d", *flat)
    except struct.error:
        raise _too_large_integer(value, where) from None
    return np.frombuffer(packed, np.float64).reshape(shape)


def dump_object(values: dict[str, object]) -> bytes:
    """Return a JSON object; arrays, also of dictionaries in it, become lists, and NaN becomes null."""
    return orjson.dumps(_to_plain(values), option=orjson.OPT_SERIALIZE_NUMPY)


def _measure(value: object, where: str, depth: int) -> tuple[int, ...]:
    """Return the shape of nested lists, looking at each list but not at each number."""
    if type(value) in _NUMBERS:
        return ()
    if not isinstance(value, list):
        raise wrong_value(where, f"is {_describe(value)}: expected a number, or a list of numbers")
    if depth == 0:
        raise wrong_value(where, f"is nested deeper than {_MAX_DEPTH} lists: expected numbers")
    if set(map(type, value)) <= _NUMBERS:
        return (len(value),)
    first = _measure(value[0], f"{where}[0]", depth - 1)
    for index, item in enumerate(value[1:], start=1):
        item_where = f"{where}[{index}]"
        shape = _measure(item, item_where, depth - 1)
        if shape != first:
            raise wrong_value(item_where, f"is {_outline(shape)}: expected {_outline(first)}, like {where}[0]")
    return (len(value), *first)


def _outline(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a number"
    return f"a list of {shape[0]}" if len(shape) == 1 else f"lists of shape {shape}"


def _too_large_integer(value: object, where: str) -> InvalidValueError:
    """Find the integer that no float64 can hold, knowing that there is one."""
    path, item = where, value
    while isinstance(item, list):
        index = next(index for index, part in enumerate(item) if _overflows(part))
        path, item = f"{path}[{index}]", item[index]
    return wrong_value(path, "is an integer too large for a float64: expected a smaller number")


def _overflows(value: object) -> bool:
    try:
        np.array(value, dtype=np.float64)
    except OverflowError:
        return True
    return False


def _describe(value: object) -> str:
    return _TYPE_NAMES.get(type(value), "a number")


def _to_plain(value: object) -> object:
    """Return a value as orjson takes it, which refuses an array of no axes or with gaps, and misreads foreign bytes."""
    if isinstance(value, dict):
        return {name: _to_plain(member) for name, member in value.items()}
    if not isinstance(value, ndarray):
        return value
    if not value.ndim:
        return value.item()
    native = value.dtype.isnative and value.flags.c_contiguous
    return value if native else np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("="))
