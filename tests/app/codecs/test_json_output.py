"""`app.codecs.json_arrays` as it writes: arrays of any layout, scalars, and values that JSON doesn't have."""

import json

import numpy as np
import pytest

from app.codecs.json_arrays import dump_object

ARRAY = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.mark.parametrize(
    "array",
    [
        ARRAY,
        np.asfortranarray(ARRAY),
        np.ascontiguousarray(ARRAY.T).T,
        np.repeat(ARRAY, 2, axis=1)[:, ::2],
        ARRAY[::-1][::-1],
        ARRAY.astype(np.float64),
        ARRAY.astype(np.float16),
        ARRAY.astype(np.int64),
    ],
    ids=["C", "fortran", "transposed", "strided", "reversed", "f8", "f2", "i8"],
)
def test_dump_writes_arrays_of_any_layout(array):
    """An array's layout in memory doesn't change the JSON, nor does the depth it is at."""
    body = dump_object({"probs": array, "results": {"jax": {"probs": array}}})

    expected = [[0, 1, 2], [3, 4, 5]]
    assert json.loads(body) == {"probs": expected, "results": {"jax": {"probs": expected}}}


def test_dump_writes_scalars_and_text():
    """Plain values, NumPy's scalars and arrays without axes are written as what they are."""
    values = {"framework": "jax", "seed": 2**62, "elbo": np.float32(0.5), "zero": np.array(2.5), "none": None, "n": [1]}

    assert json.loads(dump_object(values)) == {
        "framework": "jax",
        "seed": 2**62,
        "elbo": 0.5,
        "zero": 2.5,
        "none": None,
        "n": [1],
    }


def test_dump_writes_the_shortest_float32():
    """A float32 is written with the digits it has, not with those of its float64."""
    assert dump_object({"probs": np.array([0.1], np.float32)}) == b'{"probs":[0.1]}'


def test_dump_writes_nan_as_null():
    """JSON has no NaN: it becomes null, so that every client can read the response."""
    assert dump_object({"a": np.array([np.nan, 1]), "b": float("inf")}) == b'{"a":[null,1.0],"b":null}'


def test_dump_of_what_json_has_no_word_for():
    """A value of the service's own that can't be written is an error, not a silent string."""
    with pytest.raises(TypeError):
        dump_object({"probs": object()})
