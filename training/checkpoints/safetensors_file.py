"""Atomic writing and validated reading of safetensors files. Independent of their content."""

import hashlib
import json
import math
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import safetensors
import safetensors.numpy
from numpy import ndarray

from training.atomic_file import write_atomically
from training.counts import count_of
from training.errors import CheckpointError, UnwritableError

DIGEST = "weights_sha256"
"""The metadata's key of `digest`."""

Header = tuple[dict[str, str], dict[str, tuple[str, tuple[int, ...]]]]
"""The metadata, then dtype and shape of each tensor by name."""

_COPY: Final = "copy or train it again"


@contextmanager
def advise(advice: str) -> Iterator[None]:
    """End the message of a `CheckpointError` with this advice, in place of the usual one if it has that.

    Raises:
        CheckpointError: The block raised one.
    """
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{str(error).removesuffix(f'; {_COPY}')}; {advice}") from error


def read_content(path: Path, *, advice: str) -> bytes:
    """Return a file's bytes.

    Raises:
        CheckpointError: It can't be read; the message ends with the advice.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else str(error.strerror)
        raise CheckpointError(f"{path}: can't be read: {reason}; {advice}") from error


def read_header(path: Path, content: bytes, *, expected_format: str) -> Header:
    """Parse the header of a file's bytes.

    Raises:
        CheckpointError: They aren't a safetensors file of that format.
    """
    # The layout is fixed: 8 bytes of length, that much JSON, then the data. safetensors checks it again at load,
    # but reads metadata only from a path, and the file may have been replaced since.
    if not content:
        raise CheckpointError(f"{path}: not a whole safetensors file: it is empty; copy or train it again")
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or not 2 <= length <= len(content) - 8:
        raise CheckpointError(
            f"{path}: not a whole safetensors file: expected a header of {length} bytes after the first 8, "
            f"found {count_of(max(len(content) - 8, 0), 'byte')}; {_COPY}"
        )
    try:
        header = json.loads(content[8 : 8 + length])
        metadata = header.pop("__metadata__")
        tensors = {name: (str(item["dtype"]), tuple(item["shape"])) for name, item in header.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CheckpointError(
            f"{path}: expected a safetensors header with metadata, found something else; {_COPY}"
        ) from error
    actual_format = metadata.get("format") if isinstance(metadata, dict) else None
    if actual_format != expected_format:
        raise CheckpointError(f"{path}: metadata 'format': expected {expected_format!r}, found {actual_format!r:.60}")
    return metadata, tensors


def read_json(path: Path, metadata: Mapping[str, str], key: str) -> dict[str, Any]:
    """Return a JSON object that the metadata holds as text.

    Raises:
        CheckpointError: There is none.
    """
    text = metadata.get(key)
    try:
        value = json.loads(text) if isinstance(text, str) else None
        json.dumps(value, ensure_ascii=False).encode()  # fails for half of a surrogate pair, which no response can hold
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise CheckpointError(f"{path}: metadata {key!r}: expected a JSON object, found {text!r:.60}")
    return value


def check_types(path: Path, key: str, values: Mapping[str, Any], types: Mapping[str, type]) -> None:
    """Check the types of metadata values.

    Raises:
        CheckpointError: One is missing, or of another type.
    """
    for name, kind in types.items():
        if not isinstance(values.get(name), kind):
            raise CheckpointError(
                f"{path}: metadata {key!r}: {name}: expected {kind.__name__}, found {values.get(name)!r:.60}"
            )


def check_scalars(path: Path, key: str, values: Mapping[str, Any], *, numbers: Collection[str] = frozenset()) -> None:
    """Check that metadata values are finite numbers, strings, booleans or null; `numbers` are numbers or null.

    Raises:
        CheckpointError: One is another thing.
    """
    for name, value in values.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not (is_number or value is None or (isinstance(value, bool | str) and name not in numbers)):
            expected = "a finite number" if name in numbers else "a finite number, a string, a boolean or null"
            raise CheckpointError(f"{path}: metadata {key!r}: {name[:60]}: expected {expected}, found {value!r:.60}")


def read_tensors(
    path: Path, content: bytes, header: Header, expected: Mapping[str, tuple[str, tuple[int, ...]]]
) -> dict[str, ndarray]:
    """Return the arrays of a file whose header has been read, in the expected order, with checked dtypes and shapes.

    Raises:
        CheckpointError: An array is missing, extra, of another type or shape, not finite, or doesn't match its digest.
    """
    metadata, layout = header
    for name, (dtype, _) in expected.items():
        if name in layout and layout[name][0] != dtype:
            raise CheckpointError(f"{path}: tensor {name!r}: expected dtype {dtype}, found {layout[name][0]}")
    expected_shapes = {name: shape for name, (_, shape) in expected.items()}
    check_shapes(path, {name: shape for name, (_, shape) in layout.items()}, expected_shapes)
    try:
        tensors = safetensors.numpy.load(content)
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{path}: not a whole safetensors file: {error}; {_COPY}") from error
    check_finite(path, tensors)
    if digest(tensors) != metadata.get(DIGEST):
        raise CheckpointError(
            f"{path}: the weights don't match their SHA-256: expected {metadata.get(DIGEST)}, "
            f"found {digest(tensors)}; {_COPY}"
        )
    return {name: tensors[name] for name in expected}


def check_shapes(path: Path, shapes: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]) -> None:
    """Check that exactly the expected arrays exist, with the expected shapes.

    Raises:
        CheckpointError: One is missing, extra or of another shape.
    """
    for name, shape in expected.items():
        if name not in shapes:
            raise CheckpointError(f"{path}: tensor {name!r}: expected shape {shape}, found no such tensor")
        if shapes[name] != shape:
            raise CheckpointError(f"{path}: tensor {name!r}: expected shape {shape}, found {shapes[name]}")
    for name in shapes:
        if name not in expected:
            raise CheckpointError(f"{path}: tensor {name!r}: expected only {', '.join(expected)}, found one more")


def check_finite(path: Path, tensors: Mapping[str, ndarray]) -> None:
    """Check that every number is finite.

    Raises:
        CheckpointError: One is NaN or infinite.
    """
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            count = int(np.count_nonzero(~np.isfinite(array)))
            raise CheckpointError(f"{path}: tensor {name!r}: expected finite numbers, found {count} that aren't")


def digest(tensors: Mapping[str, ndarray]) -> str:
    """Return the SHA-256 of names and numbers, in hexadecimal digits."""
    hasher = hashlib.sha256()
    for name in sorted(tensors):
        hasher.update(name.encode())
        hasher.update(tensors[name].data)
    return hasher.hexdigest()


def replace_file(path: Path, content: bytes) -> None:
    """Write a file atomically, as `write_atomically` does.

    Raises:
        UnwritableError: It can't be written; the old file is unchanged.
    """
    try:
        write_atomically(path, content)
    except OSError as error:
        raise UnwritableError(f"{path}: can't be written: {error.strerror}") from error


def remove_file(path: Path) -> None:
    """Remove a file, if there is one.

    Raises:
        UnwritableError: It can't be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UnwritableError(f"{path}: can't be removed: {error.strerror}") from error


def ensure_writable(path: Path) -> None:
    """Create the parent folder of a file and check that it is writable, so that a run fails before its first epoch.

    Raises:
        UnwritableError: It isn't writable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UnwritableError(f"{path}: can't be written: {error.strerror}; choose another folder") from error
