"""`app.codecs.npy` with broken and hostile files."""

import io
import pickle
import struct
import tracemalloc
import warnings
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib import format as npy_format

from app.codecs.npy import parse_npy
from app.errors import InvalidValueError, MalformedBodyError, RequestError

VALID_HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"


def save(array, version=(1, 0)):
    """Return the file that NumPy writes."""
    file = io.BytesIO()
    npy_format.write_array(file, array, version=version)
    return file.getvalue()


def npy_file(header, data=b"\0" * 8, version=1):
    """Return a file with any header at all."""
    text = header.encode()
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + data


class Bomb:
    """Fails the test if it is ever unpickled."""

    def __reduce__(self):
        return pytest.fail, ("it was unpickled",)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_parse_never_unpickles(version):
    """An array of objects is refused by its header alone."""
    body = npy_file("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", pickle.dumps([Bomb()]), version)

    with pytest.raises(InvalidValueError, match="never unpickled") as caught:
        parse_npy(body)

    assert caught.value.errors[0].where == "body"


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(2, bool),
        np.zeros(2, complex),
        np.zeros(2, "S4"),
        np.zeros(2, "U4"),
        np.zeros(2, "M8[s]"),
        np.zeros(2, "m8[s]"),
        np.zeros(2, [("a", "f4"), ("b", "f4")]),
        np.zeros(2, "V4"),
        np.zeros(2, np.longdouble),
    ],
    ids=lambda array: str(array.dtype)[:12],
)
def test_parse_of_other_dtypes(array):
    """Arrays of anything but integers and common floats are wrong values."""
    with pytest.raises(InvalidValueError, match="expected uint8 from 0 to 255 or floats from 0 to 1 for images"):
        parse_npy(save(array))


@pytest.mark.parametrize("descr", ["'<f1'", "'f4,f4'", "'(9999999,)f4'", "'float320'", "''", "'<f4 '", "('<f4', (2,))"])
def test_parse_of_odd_descr(descr):
    """A dtype's description in any other form than NumPy's own for plain numbers is refused."""
    with pytest.raises(InvalidValueError, match="expected uint8 from 0 to 255 or floats from 0 to 1 for images"):
        parse_npy(npy_file(f"{{'descr': {descr}, 'fortran_order': False, 'shape': (2,)}}"))


@pytest.mark.parametrize("descr", ["float32", "=f4", "f4", "|f4", "f", "single"])
def test_parse_of_dtype_names(descr):
    """A dtype by its name, as other writers put it and NumPy reads it, is read."""
    array = np.array([0.25, 1], np.float32)

    parsed = parse_npy(npy_file(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': (2,)}}", array.tobytes()))

    np.testing.assert_array_equal(parsed, array)


def test_parse_of_booleans():
    """Booleans are refused with the scale of the types that are read: as uint8 they would be almost black."""
    with pytest.raises(InvalidValueError, match=r"uint8 from 0 to 255 or floats .*; send array\.astype\('float32'\)"):
        parse_npy(save(np.zeros(2, bool)))


@pytest.mark.parametrize("length", [0, 1, 5, 6, 7, 8, 9, 10, 50, 127, 128, 135])
def test_parse_of_truncated_file(length):
    """A file that stops anywhere before its end is refused."""
    body = save(np.zeros(2, np.float32))
    assert len(body) == 136

    with pytest.raises(MalformedBodyError):
        parse_npy(body[:length])


def test_parse_of_empty_body():
    """An empty body is called empty."""
    with pytest.raises(MalformedBodyError, match="empty"):
        parse_npy(b"")


def test_parse_of_trailing_bytes():
    """Bytes after the data are refused, and counted."""
    with pytest.raises(MalformedBodyError, match="with 3 bytes after the data"):
        parse_npy(save(np.zeros(2, np.float32)) + b"abc")


@pytest.mark.parametrize("body", [b"PK\x03\x04" + bytes(99), b"\x93NUMPX" + bytes(99), b'{"images": []}'])
def test_parse_of_other_files(body):
    """A file that doesn't begin as npy, such as npz, is refused."""
    with pytest.raises(MalformedBodyError, match="doesn't begin as one"):
        parse_npy(body)


@pytest.mark.parametrize("version", [(0, 0), (1, 1), (4, 0), (255, 255)])
def test_parse_of_unknown_version(version):
    """A version that doesn't exist is refused."""
    body = bytearray(save(np.zeros(2, np.float32)))
    body[6:8] = bytes(version)

    with pytest.raises(MalformedBodyError, match="version"):
        parse_npy(bytes(body))


@pytest.mark.parametrize(
    "shape",
    [
        "(3,)",
        "(-2,)",
        "(-1, -2)",
        "(True,)",
        "(2.0,)",
        "2",
        "[2]",
        "('2',)",
        "None",
        "(1,) * 2",
        "(99999999999999999999999999,)",
        "(4294967296, 4294967296)",
        "(2305843009213693952, 4)",
        "(0, 99999999999999999999999999)",
        "(0, 4611686018427387904)",
        "(" + "1, " * 70 + "2)",
        "(" + "9" * 4000 + ",)",
        "(" + "9" * 5000 + ",)",
    ],
)
def test_parse_of_lying_shape(shape):
    """An invalid shape, or doesn't fit the data, is refused before any memory is allocated."""
    body = npy_file(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}")
    tracemalloc.start()

    with pytest.raises(MalformedBodyError):
        parse_npy(body)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "header",
    [
        "",
        "{}",
        "[]",
        "1",
        "{" * 3000,
        "(" * 3000,
        "-" * 3000 + "1",
        "1+" * 1000 + "1j",
        "[" * 90 + "]" * 90,
        "__import__('os').abort()",
        VALID_HEADER + "; 1",
        VALID_HEADER.replace("False", "0"),
        VALID_HEADER.replace("descr", "dtype"),
        VALID_HEADER.replace("}", "'x': 1}"),
        VALID_HEADER.replace("'<f4'", "4"),
        VALID_HEADER.replace("'<f4'", "'\0'"),
        VALID_HEADER.replace("'<f4'", "{[]: 1}"),
        VALID_HEADER + " " * 4096,
    ],
    ids=lambda header: header[:24],
)
def test_parse_of_hostile_header(header):
    """A header that isn't the dictionary it should be is refused, and never executed."""
    with pytest.raises(MalformedBodyError):
        parse_npy(npy_file(header))


def test_parse_of_header_with_a_wrong_escape():
    """A header can't make Python warn, which would let clients write to the log."""
    body = npy_file(VALID_HEADER.replace("'<f4'", r"'\d'"))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(MalformedBodyError):
            parse_npy(body)

    assert caught == []


@given(st.data())
def test_parse_of_damaged_file_raises_only_request_errors(data):
    """Whatever happens to a file's bytes, the outcome is an array that fits them or a `RequestError`."""
    body = bytearray(save(np.arange(4, dtype=np.float32), data.draw(st.sampled_from([(1, 0), (2, 0), (3, 0)]))))
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, 80))] = data.draw(st.integers(0, 255))

    with suppress(RequestError):
        assert parse_npy(bytes(body)).nbytes <= len(body)


def test_messages_show_neither_path_nor_much_of_the_input():
    """An error repeats a strange dtype only in part."""
    with pytest.raises(InvalidValueError) as caught:
        parse_npy(npy_file("{'descr': '%s', 'fortran_order': False, 'shape': (2,)}" % ("x" * 3000)))

    assert len(str(caught.value)) < 200
