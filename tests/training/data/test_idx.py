"""`training.data.idx`: valid files are read, damaged ones refused."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.idx import read_idx
from training.errors import DataError

VALID = b"\0\0\x08\x02" + struct.pack(">2I", 2, 3) + bytes(range(6))

DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize(("code", "dtype"), DTYPES.items())
def test_read_idx_returns_the_array(tmp_path, code, dtype, compress):
    """Each of the format's types is read, plain and gzipped, into the machine's byte order."""
    expected = np.array([[1, 2, 3], [-1 if code != 0x08 else 4, 5, 6]], dtype)
    content = bytes([0, 0, code, 2]) + struct.pack(">2I", 2, 3) + expected.tobytes()
    path = _write(tmp_path, compress(content))

    array = read_idx(path)

    np.testing.assert_array_equal(array, expected)
    assert array.dtype == np.dtype(dtype).newbyteorder("=")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "magic: expected 00 00, a type of 08, .* found an empty file"),
        (b"\0\0\x08", "magic: .* found 00 00 08"),
        (b"\1" + VALID[1:], "magic: .* found 01 00 08 02"),
        (b"\0\0\x0a" + VALID[3:], "magic: .* found 00 00 0a 02"),
        (b"\0\0\x08\0", "magic: .* found 00 00 08 00"),
        (b"\0\0\x08\x21", "magic: .* found 00 00 08 21"),
        (VALID[:9], "header: expected 8 bytes of sizes, found 5 bytes"),
        (VALID[:-1], r"data: expected 6 bytes for shape \(2, 3\), found 5"),
        (VALID + b"\0", r"data: expected 6 bytes for shape \(2, 3\), found more"),
        (b"\0\0\x0e\x04" + b"\xff" * 16, "data: expected .* bytes for shape .*, found 0"),
    ],
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_read_idx_when_malformed(tmp_path, content, message, compress):
    """Each malformation is an error that names file, expected and found, also where the header asks for terabytes."""
    path = _write(tmp_path, compress(content))

    with pytest.raises(DataError, match=message) as caught:
        read_idx(path)

    assert str(path) in str(caught.value)


@pytest.mark.parametrize("length", [2, 10, 20, 30])
def test_read_idx_when_gzip_is_truncated(tmp_path, length):
    """A gzip file that ends early is refused by name."""
    path = _write(tmp_path, gzip.compress(VALID)[:length])

    with pytest.raises(DataError, match="expected a whole gzip file, found a damaged one") as caught:
        read_idx(path)

    assert str(path) in str(caught.value)


def test_read_idx_when_gzip_checksum_is_wrong(tmp_path):
    """A gzip file whose own checksum fails is refused."""
    content = bytearray(gzip.compress(VALID))
    content[-6] ^= 1
    path = _write(tmp_path, bytes(content))

    with pytest.raises(DataError, match="expected a whole gzip file, found a damaged one"):
        read_idx(path)


def test_read_idx_when_absent(tmp_path):
    """A file that isn't there is an error that names it."""
    with pytest.raises(DataError, match=r"absent: can't be read: No such file"):
        read_idx(tmp_path / "absent")


def test_read_idx_when_sha256_differs(tmp_path):
    """A file without the requested SHA-256 is refused, with both in the message."""
    path = _write(tmp_path, VALID)

    with pytest.raises(DataError, match="not the genuine file: expected SHA-256 abc, found [0-9a-f]{64}"):
        read_idx(path, sha256="abc")


@given(content=st.binary(max_size=64), compress=st.sampled_from([bytes, gzip.compress]))
def test_read_idx_of_anything(tmp_path_factory, content, compress):
    """Any content gives an array or a DataError."""
    path = _write(tmp_path_factory.mktemp("idx"), compress(b"\0\0\x08" + content))

    try:
        array = read_idx(path)
    except DataError:
        return

    assert array.size <= len(content)


def _write(folder: Path, content: bytes) -> Path:
    path = folder / "file-idx"
    path.write_bytes(content)
    return path
