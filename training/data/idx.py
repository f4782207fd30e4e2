"""The IDX format of MNIST's files, plain or gzipped, to NumPy. Reads it, and doesn't write it."""

import gzip
import hashlib
import io
import math
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from training.counts import count_of
from training.errors import DataError

_DTYPES: Final = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

_MAX_DIMENSIONS: Final = 32  # the most that every supported NumPy takes

_PIECE: Final = 2**20


def read_idx(path: Path, *, sha256: str | None = None) -> NDArray[Any]:
    """Return a file's array, in the machine's byte order.

    Two bytes of zero, one for the type, one for the number of dimensions; each dimension's size in four bytes;
    then the numbers, all big-endian. Source: LeCun, Cortes & Burges, "The MNIST database of handwritten digits".

    Raises:
        DataError: It can't be read, doesn't have the SHA-256 (hexadecimal digits, if given), or isn't a whole IDX file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror}") from error
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and digest != sha256:
        raise DataError(f"{path}: not the genuine file: expected SHA-256 {sha256}, found {digest}; restore it")
    stream = io.BytesIO(content)
    if not content.startswith(b"\x1f\x8b"):
        return _parse(path, stream)
    try:
        with gzip.GzipFile(fileobj=stream) as file:
            return _parse(path, file)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path}: expected a whole gzip file, found a damaged one: {error}") from error


def _parse(path: Path, file: BinaryIO | gzip.GzipFile) -> NDArray[Any]:
    magic = _read(file, 4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES or not 1 <= magic[3] <= _MAX_DIMENSIONS:
        expected = f"00 00, a type of {', '.join(f'{code:02x}' for code in _DTYPES)}, and the number of dimensions"
        _refuse(path, "magic", expected, magic.hex(" ") or "an empty file")
    sizes = _read(file, 4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        _refuse(path, "header", f"{4 * magic[3]} bytes of sizes", count_of(len(sizes), "byte"))
    shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
    dtype = np.dtype(_DTYPES[magic[2]])
    count = math.prod(shape) * dtype.itemsize
    data = _read(file, count + 1)
    if len(data) != count:
        more_or_less = f"{len(data)}" if len(data) < count else "more"
        _refuse(path, "data", f"{count_of(count, 'byte')} for shape {shape}", more_or_less)
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _read(file: BinaryIO | gzip.GzipFile, count: int) -> bytes:
    # In pieces: `file.read(count)` would allocate `count` bytes first, and a damaged header can ask for any number.
    content = bytearray()
    while len(content) < count and (piece := file.read(min(count - len(content), _PIECE))):
        content += piece
    return bytes(content)


def _refuse(path: Path, what: str, expected: str, found: str) -> NoReturn:
    raise DataError(f"{path}: not a whole IDX file: {what}: expected {expected}, found {found}")
