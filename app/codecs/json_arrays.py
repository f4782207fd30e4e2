"""Parses JSON to arrays of numbers and writes it, with orjson. Knows nothing of images."""

import json
import struct
from functools import reduce
from operator import iconcat
from typing import Any, NoReturn

import numpy as np
import orjson
from jaxtyping import Float64
from numpy import ndarray

from app.codecs.body import Body
from app.codecs.error_messages import invalid_value, truncated
from app.errors import InvalidValueError, MalformedBodyError, TooLargeError

# An image has two levels, a batch of them three.
_MAX_DEPTH = 4

# Levels of lists and objects beside strings; orjson allows 1,024, which may be more than Python's recursion limit.
_MAX_NESTING = 100

# An empty list takes 2 bytes of a body and 64 of memory; a batch of 1,024 images has some 30,000 lists.
_MAX_CONTAINERS = 1_000_000

_LISTS = {list}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NUMBERS = frozenset({int, float})
_TYPE_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    str: "a string",
    list: "a list",
    dict: "an object",
}


def parse_object(body: Body) -> dict[str, object]:
    """Return the members of a JSON object, before which a byte order mark may stand.

    Raises:
        MalformedBodyError: It isn't JSON (which knows no NaN and no Infinity), isn't UTF-8, or is nested too deeply.
        InvalidValueError: It is JSON, but not an object, or a member is given twice.
        TooLargeError: It has more lists and objects than any batch needs.
    """
    if body.startswith(_BYTE_ORDER_MARK):  # noqa: FURB188 -- removeprefix copies a bytearray without it too
        body = body[len(_BYTE_ORDER_MARK) :]
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
        raise invalid_value("body", f"is {_describe(value)}: expected a JSON object")
    # Two quotes for each name: then there is no string, and no name was dropped as a duplicate.
    if _has_more_quotes(body, 2 * len(value)):
        _check_names(body, value)
    return value


def may_hold_booleans(body: Body) -> bool:
    """Return whether a JSON text may hold a boolean."""
    # A letter is found twenty times as fast as a word, and images have neither of these two.
    return (b"u" in body and b"true" in body) or (b"l" in body and b"false" in body)


def numbers(value: object, *, where: str, may_be_boolean: bool = True) -> Float64[ndarray, "..."]:
    """Return a number, or evenly nested lists of numbers, as a read-only array.

    Without booleans, see `may_hold_booleans`, it takes half the time.

    Raises:
        InvalidValueError: Something in it isn't a number, or the lists are uneven; the path names the first.
    """
    even = _flatten(value)
    if even is None:
        _refuse(value, where)
    items, shape = even
    # Of all that JSON has, only a boolean is packed as a number is.
    if may_be_boolean and bool in set(map(type, items)):
        _refuse(value, where)
    # NumPy takes twice as long to convert a list.
    try:
        packed = struct.pack(f"{len(items)}d", *items)
    except struct.error:
        _refuse(value, where)
    return np.frombuffer(packed, np.float64).reshape(shape)


def dump_object(values: dict[str, object]) -> bytes:
    """Return a JSON object; arrays at any depth become lists, and NaN becomes null."""
    return orjson.dumps(values, default=_to_plain, option=orjson.OPT_SERIALIZE_NUMPY)


def _has_more_quotes(body: Body, count: int) -> bool:
    """Return whether a body of at least `count` quotes has more."""
    # Unlike `bytes.count`, `find` skips the numbers between at the speed of memory.
    position = -1
    for _ in range(count):
        position = body.find(b'"', position + 1)
    return body.find(b'"', position + 1) >= 0


def _check_names(body: Body, members: dict[str, object]) -> None:
    """Check that no object in the body has two members of one name, of which orjson keeps one.

    Raises:
        InvalidValueError: One has.
        MalformedBodyError: The body is nested too deeply.
    """
    count = _count_strings(members)
    if b"\\" not in body and body.count(b'"') == 2 * count:
        return
    # Rare, so that it may take several times as long as orjson.
    json.loads(body, object_pairs_hook=_unique_members)


def _count_strings(value: object, depth: int = _MAX_NESTING) -> int:
    """Return the number of names and strings in a JSON value of at most so many levels."""
    if isinstance(value, str):
        return 1
    if depth == 0:
        raise MalformedBodyError(f"the body is nested too deeply: send at most {_MAX_DEPTH} levels of lists")
    if isinstance(value, dict):
        return len(value) + sum(_count_strings(member, depth - 1) for member in value.values())
    if isinstance(value, list) and not set(map(type, value)) <= _NUMBERS:
        return sum(_count_strings(item, depth - 1) for item in value)
    return 0


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise invalid_value(f"body.{truncated(name)[1:-1]}", "is given twice: expected each member once")
        members[name] = value
    return members


def _flatten(value: object) -> tuple[list[Any], tuple[int, ...]] | None:
    """Return the items of evenly nested lists as one list, and their shape; None if they are uneven."""
    items: list[Any] = [value]
    shape: tuple[int, ...] = ()
    while items and isinstance(items[0], list):
        # Level by level, in functions of C: a loop in Python over an image's rows takes as long as all the rest.
        lengths = set(map(len, items)) if set(map(type, items)) == _LISTS else ()
        if len(lengths) != 1 or len(shape) == _MAX_DEPTH:
            return None
        shape += tuple(lengths)
        items = reduce(iconcat, items, [])
    return items, shape


def _refuse(value: object, where: str) -> NoReturn:
    """Raise the error of a value that isn't evenly nested lists of numbers, or holds one too large."""
    _measure(value, where, _MAX_DEPTH)
    raise _too_large_integer(value, where)


def _measure(value: object, where: str, depth: int) -> tuple[int, ...]:
    """Return the shape of nested lists, checking each list but not each number."""
    if type(value) in _NUMBERS:
        return ()
    if not isinstance(value, list):
        raise invalid_value(where, f"is {_describe(value)}: expected a number, or a list of numbers")
    if depth == 0:
        raise invalid_value(where, f"is nested deeper than {_MAX_DEPTH} lists: expected numbers")
    if set(map(type, value)) <= _NUMBERS:
        return (len(value),)
    first = _measure(value[0], f"{where}[0]", depth - 1)
    for index, item in enumerate(value[1:], start=1):
        item_where = f"{where}[{index}]"
        shape = _measure(item, item_where, depth - 1)
        if shape != first:
            raise invalid_value(item_where, f"is {_outline(shape)}: expected {_outline(first)}, like {where}[0]")
    return (len(value), *first)


def _outline(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a number"
    return f"a list of {shape[0]}" if len(shape) == 1 else f"lists of shape {shape}"


def _too_large_integer(value: object, where: str) -> InvalidValueError:
    """Return the error of the first integer that no float64 can hold; there is one."""
    path, item = where, value
    while isinstance(item, list):
        index = next(index for index, part in enumerate(item) if _overflows(part))
        path, item = f"{path}[{index}]", item[index]
    return invalid_value(path, "is an integer too large for a float64: expected a smaller number")


def _overflows(value: object) -> bool:
    try:
        np.array(value, dtype=np.float64)
    except OverflowError:
        return True
    return False


def _describe(value: object) -> str:
    return _TYPE_NAMES.get(type(value), "a number")


def _to_plain(value: object) -> object:
    """Return a scalar or non-contiguous array in a form that orjson takes."""
    if not isinstance(value, ndarray):
        raise TypeError(f"a {type(value).__name__} has no JSON")
    return np.ascontiguousarray(value) if value.ndim else value.item()
