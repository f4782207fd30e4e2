"""`app.codecs.npy`: arrays survive the round trip, whoever wrote the file."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.lib import format as npy_format

from app.codecs.npy import dump_npy, parse_npy

DTYPES = [
    order + code for code in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8") for order in ("<", ">")
]


def save(array, version=(1, 0)):
    """Return the file that NumPy writes."""
    file = io.BytesIO()
    npy_format.write_array(file, array, version=version)
    return file.getvalue()


def npy_file(header):
    """Return a file of eight bytes of data with any header at all."""
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + bytes(8)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_parse_returns_what_numpy_saved(dtype, order, version):
    """Every version, byte order, memory order and plain dtype gives the same array as NumPy."""
    array = np.arange(12).reshape(3, 4).astype(dtype, order=order)

    parsed = parse_npy(save(array, version))

    assert parsed.dtype == array.dtype
    np.testing.assert_array_equal(parsed, array)


@given(npst.arrays(st.sampled_from(DTYPES), npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)))
def test_parse_returns_any_array(array):
    """Any array of numbers, also an empty one or a scalar, is read bit for bit."""
    parsed = parse_npy(save(array))

    assert parsed.shape == array.shape
    assert parsed.tobytes() == array.tobytes()


def test_parse_copies_nothing():
    """The result is a view of the body, which can't be written to."""
    body = save(np.arange(6, dtype=np.float32))

    parsed = parse_npy(body)

    assert np.shares_memory(parsed, np.frombuffer(body, np.uint8))
    assert not parsed.flags.writeable


def test_parse_twice_with_the_same_header():
    """Files that differ only in their data give their own arrays, although headers are cached."""
    first, second = (parse_npy(save(np.full(3, value, np.float32))) for value in (1, 2))

    assert (first.tolist(), second.tolist()) == ([1, 1, 1], [2, 2, 2])


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
        '{"shape":(2,),"fortran_order":False,"descr":"<f4"}',
        "  {'descr': '<f4', 'fortran_order': True, 'shape': (2,), }   \n",
        "{'descr': 'f4', 'fortran_order': False, 'shape': (1, 2,)}",
    ],
)
def test_parse_of_headers_that_others_write(header):
    """Order, quotes and spaces of the header's dictionary don't matter."""
    assert parse_npy(npy_file(header)).ravel().tolist() == [0, 0]


@given(
    npst.arrays(
        st.sampled_from(["<f4", ">f4", "<f8"]),
        npst.array_shapes(min_dims=0, max_dims=3, min_side=0),
        elements=st.floats(width=32),
    ),
    st.booleans(),
)
def test_dump_then_load(array, transpose):
    """NumPy reads what is written as the same numbers in float32, also of a transposed array."""
    array = array.T if transpose else array

    body = dump_npy(array)
    loaded = np.load(io.BytesIO(body), allow_pickle=False)

    assert body[6:8] == b"\x01\x00"
    assert loaded.dtype == np.dtype("<f4")
    assert loaded.flags.c_contiguous
    np.testing.assert_array_equal(loaded, array)
