"""Reads and writes NumPy's npy format, versions 1 to 3, of plain numbers. Unpickles nothing and trusts no header.

The format is described in `numpy.lib.format`. Its own reader isn't used: it has no public function for
version 3, builds any dtype a header names, and lets a hostile header raise Python warnings.
"""

import ast
import io
import math
import re
from functools import lru_cache
from typing import Literal, NamedTuple, cast

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from numpy.lib import format as npy_format

from app.codecs.body import Body
from app.codecs.error_messages import invalid_value, truncated
from app.errors import InvalidValueError, MalformedBodyError
from training.counts import count_of

# A header of plain numbers takes 128 bytes; evaluating a longer one could take long.
_MAX_HEADER_BYTES = 4096

# Magic, version, and the header's length.
_LEAD_BYTES = npy_format.MAGIC_LEN + 4

_LENGTH_BYTES = {(1, 0): 2, (2, 0): 4, (3, 0): 4}
_DESCR = re.compile(r"([<>=|]?)([fiu])([1248])")
_NAMES = {
    name: np.dtype(name)
    for name in (
        *("float16", "float32", "float64", "half", "single", "double", "e", "f", "d"),
        *("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "ubyte", "byte", "B", "b"),
    )
}
"""Dtypes of which other writers than NumPy put the name where NumPy puts a code; `numpy.load` takes it."""

_BOOLEANS = {"?", "bool", "bool_", "b1", "|b1", "<b1", ">b1", "=b1"}
_MAX_DIMENSIONS = 8


def parse_npy(body: Body) -> ndarray:
    """Return the array of an npy file as a view of `body`: as read-only as that, and in the file's byte order.

    Raises:
        MalformedBodyError: It isn't an npy file, or its length isn't what its header says.
        InvalidValueError: Its items aren't integers or floating-point numbers.
    """
    if not body:
        raise MalformedBodyError("the body is empty: send an npy file, as numpy.save writes it")
    begin, start = _find_header(bytes(body[:_LEAD_BYTES]))
    if len(body) < start:
        raise _malformed("its header is cut short")
    header = _parse_header(bytes(body[begin:start]))
    if len(body) - start != header.nbytes:
        raise _wrong_length(len(body) - start, expected=header.nbytes)
    try:
        return np.ndarray(header.shape, header.dtype, buffer=body, offset=start, order=header.order)
    except ValueError:
        # The only case left: a shape with a 0 in it beside numbers over 2^63.
        raise _malformed("its shape isn't possible") from None


def dump_npy(array: Float32[ndarray, "..."]) -> bytes:
    """Return the array as an npy file: version 1.0, little-endian float32, C order."""
    return b"".join((_dump_header(array.shape), np.ascontiguousarray(array, dtype="<f4").data))


class _Header(NamedTuple):
    dtype: np.dtype
    order: Literal["C", "F"]
    shape: tuple[int, ...]
    nbytes: int
    """Of the data that follow."""


# A client's headers are mostly the same one, and reading it takes longer than all the rest.
@lru_cache(maxsize=128)
def _find_header(lead: bytes) -> tuple[int, int]:
    """Return where the header's text and the data start, from a file's first bytes."""
    magic_end = npy_format.MAGIC_LEN
    if not lead.startswith(npy_format.MAGIC_PREFIX) or len(lead) < magic_end:
        raise _malformed("it doesn't begin as one")
    length_bytes = _LENGTH_BYTES.get((lead[magic_end - 2], lead[magic_end - 1]))
    if length_bytes is None:
        raise _malformed("its version isn't 1.0, 2.0 or 3.0")
    begin = magic_end + length_bytes
    length = int.from_bytes(lead[magic_end:begin], "little")
    if len(lead) < begin or length > _MAX_HEADER_BYTES:
        raise _malformed("its header is too long or cut short")
    return begin, begin + length


@lru_cache(maxsize=128)
def _parse_header(text: bytes) -> _Header:
    # A backslash is in no header of plain numbers, and a wrong escape would make Python print a warning.
    if b"\\" in text:
        raise _malformed("its header can't be read")
    try:
        fields = ast.literal_eval(text.decode("utf-8").strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        # All that Python's parser raises on hostile literals.
        raise _malformed("its header can't be read") from None
    if not isinstance(fields, dict) or fields.keys() != {"descr", "fortran_order", "shape"}:
        raise _malformed("its header isn't a dictionary of descr, fortran_order and shape")
    descr, fortran_order, shape = fields["descr"], fields["fortran_order"], fields["shape"]
    if not isinstance(fortran_order, bool):
        raise _malformed("fortran_order in its header isn't True or False")
    if not _is_shape(shape):
        raise _malformed(f"shape in its header isn't a tuple of at most {_MAX_DIMENSIONS} sizes")
    sizes = cast("tuple[int, ...]", shape)
    dtype = _parse_descr(descr)
    return _Header(dtype, "F" if fortran_order else "C", sizes, math.prod(sizes) * dtype.itemsize)


@lru_cache(maxsize=128)
def _dump_header(shape: tuple[int, ...]) -> bytes:
    file = io.BytesIO()
    npy_format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.getvalue()


def _is_shape(shape: object) -> bool:
    if not isinstance(shape, tuple) or len(shape) > _MAX_DIMENSIONS:
        return False
    return all(type(size) is int and size >= 0 for size in shape)


def _parse_descr(descr: object) -> np.dtype:
    expected = "expected uint8 from 0 to 255 or floats from 0 to 1 for images, and floats for latents"
    if isinstance(descr, list | tuple):
        raise _wrong_dtype(f"has a structured dtype: {expected}")
    if not isinstance(descr, str):
        raise _malformed("descr in its header names no dtype")
    if descr[1:2] == "O" or descr[:1] == "O":
        raise _wrong_dtype(f"holds Python objects, which are never unpickled: {expected}")
    match = _DESCR.fullmatch(descr)
    if match is not None and match.groups()[1:] != ("f", "1"):
        return np.dtype(descr)
    if descr in _NAMES:
        return _NAMES[descr]
    if descr in _BOOLEANS:
        raise _wrong_dtype(f"holds booleans: {expected}; send array.astype('float32')")
    raise _wrong_dtype(f"has the dtype {truncated(descr)}: {expected}")


def _wrong_length(length: int, *, expected: int) -> MalformedBodyError:
    if length < expected:
        return _malformed("it is shorter than its header says")
    return _malformed(f"with {count_of(length - expected, 'byte')} after the data that its header announces")


def _malformed(why: str) -> MalformedBodyError:
    return MalformedBodyError(f"the body isn't a valid npy file, {why}: send what numpy.save writes")


def _wrong_dtype(why: str) -> InvalidValueError:
    return invalid_value("body", why)
