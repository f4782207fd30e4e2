"""`app.codecs.json_arrays` as it reads: strict JSON, and evenly nested numbers."""

import json
import sys
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.codecs.json_arrays import numbers, parse_object
from app.errors import InvalidValueError, MalformedBodyError, RequestError, TooLargeError
from tests.support.strategies import json_trees


def fault(caught):
    """Return where and why of the only wrong value."""
    (error,) = caught.value.errors
    return error.where, error.why


def test_parse_of_an_object():
    """An object is parsed to a dictionary."""
    body = ' {"images": [[0, 0.5], "é"], "seed": 9007199254740993, "invert": true, "x": null}\n'.encode()

    assert parse_object(body) == {"images": [[0, 0.5], "é"], "seed": 2**53 + 1, "invert": True, "x": None}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"seed": 1, "seed": 2}', "body.seed"),
        (b'{"seed": 1, "seed": 1}', "body.seed"),
        (b'{"images": [1], "images": [1], "seed": 1}', "body.images"),
        (b'{"seed": 1, "se\\u0065d": 2}', "body.seed"),
        (b'{"": 1, "": 2}', "body."),
        (b'{"a": "x", "b": ["y", "z"], "a": 1}', "body.a"),
        (b'{"a": {"b": 1, "b": 2}}', "body.b"),
        (b'{"a": [{"b": 1, "b": [0]}]}', "body.b"),
        (b'{"a": "\\"", "a": "b"}', "body.a"),
    ],
)
def test_parse_of_an_object_with_a_name_twice(body, where):
    """A member that is given twice is a wrong value, at any depth and in any spelling."""
    with pytest.raises(InvalidValueError, match="is given twice: expected each member once") as caught:
        parse_object(body)

    assert caught.value.errors[0].where == where


@pytest.mark.parametrize(
    "members",
    [
        {"a": '"', "b": '\\"a\\"'},
        {"a": {"a": {"a": 1}}, "b": {"a": 2}},
        {"images": [[0.5, 1]], "framework": "jax"},
        {"images": ["YQ==", [0, 1], "seed", "seed"], "seed": 7},
        {"a": [{"b": 1}, {"b": 2}], "é": "é"},
    ],
)
def test_parse_of_strings_that_look_like_names(members):
    """Quotes, escapes and equal names in different objects are no duplicates."""
    assert parse_object(json.dumps(members).encode()) == members


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_parse_after_a_byte_order_mark(kind):
    """A byte order mark before the object, as Windows programs write it, is skipped."""
    assert parse_object(kind(b'\xef\xbb\xbf{"a": 1}')) == {"a": 1}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"{", "line 1, column 2"),
        (b'{"a": 1,}', "line 1, column"),
        (b'{"a":\n 1 2}', "line 2, column 4"),
        (b'{"a": NaN}', "line 1, column 7"),
        (b'{"a": Infinity}', "line 1, column 7"),
        (b'{"a": -Infinity}', "line 1, column"),
        (b'{"a": 1e999}', "line 1, column 7"),
        (b"{'a': 1}", "line 1, column 2"),
        (b'{"a": 01}', "line 1, column"),
        (b'{"a": "\\ud800"}', "line 1, column"),
        (b'{"a": "\xff"}', "line 1, column"),
        ('{"a": 1}'.encode("utf-16"), "line 1, column 1"),
        (b'{"a": 1} x', "line 1, column"),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "line 1, column"),
        (b"   ", "line 1, column"),
        (b"images=1", "line 1, column 1"),
    ],
)
def test_parse_of_malformed_json(body, place):
    """A body that isn't JSON in UTF-8 is refused; the error names the first wrong place."""
    with pytest.raises(MalformedBodyError, match=place) as caught:
        parse_object(body)

    assert len(str(caught.value)) < 150


@pytest.mark.parametrize("limit", [1000, 2000])
@pytest.mark.parametrize(("string", "is_escaped"), [("x", False), ("\\n", True)])
def test_parse_of_deep_lists_beside_a_string(limit, string, is_escaped):
    """Deep lists are refused and shallower ones read, whatever Python's recursion limit, which frameworks raise."""
    body = b'{"a": %s1%s, "b": "%s"}'
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        with pytest.raises(MalformedBodyError, match="nested too deeply"):
            parse_object(body % (b"[" * 1000, b"]" * 1000, string.encode()))
        assert parse_object(body % (b"[" * 90, b"]" * 90, string.encode()))["b"] == ("\n" if is_escaped else "x")
    finally:
        sys.setrecursionlimit(before)


def test_parse_of_empty_body():
    """An empty body is called empty."""
    with pytest.raises(MalformedBodyError, match="empty"):
        parse_object(b"")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[1]", "a list"),
        (b"1", "a number"),
        (b"1.5", "a number"),
        (b'"a"', "a string"),
        (b"null", "null"),
        (b"true", "a boolean"),
    ],
)
def test_parse_of_other_values(body, kind):
    """JSON that isn't an object is a wrong value."""
    with pytest.raises(InvalidValueError) as caught:
        parse_object(body)

    assert fault(caught) == ("body", f"is {kind}: expected a JSON object")


@pytest.mark.parametrize("container", [b"[],", b"{},"])
def test_parse_of_millions_of_empty_lists(container):
    """A body that would take thirty times its length in memory is refused before it is parsed."""
    body = b'{"images": [' + container * 1_000_000 + b"1]}"

    with pytest.raises(TooLargeError, match="1000000 lists and objects"):
        parse_object(body)


@given(st.binary(max_size=60) | json_trees.map(lambda tree: json.dumps(tree).encode()))
def test_parse_of_any_body(body):
    """Any bytes give a dictionary or a `RequestError`."""
    with suppress(RequestError):
        assert isinstance(parse_object(body), dict)


@pytest.mark.parametrize(
    "value",
    [0, 1.5, [], [0, 1], [0.5, 1, -2], [[1, 2], [3, 4]], [[[1.5], [2]], [[3], [4]]], [[], []], [2**64 - 1, 1e300]],
)
def test_numbers_of_even_lists(value):
    """Evenly nested lists become a float64 array of the same shape and values."""
    array = numbers(value, where="body.images")

    assert array.dtype == np.float64
    np.testing.assert_array_equal(array, np.array(value, np.float64))
    assert array.shape == np.array(value).shape


@pytest.mark.parametrize(
    ("value", "where", "why"),
    [
        (None, "", "is null: expected a number, or a list of numbers"),
        ("0.5", "", "is a string: expected a number, or a list of numbers"),
        ({}, "", "is an object: expected a number, or a list of numbers"),
        (True, "", "is a boolean: expected a number, or a list of numbers"),
        ([0, 1, True], "[2]", "is a boolean: expected a number, or a list of numbers"),
        ([0, "1", None], "[1]", "is a string: expected a number, or a list of numbers"),
        ([[0, 1], [0, None]], "[1][1]", "is null: expected a number, or a list of numbers"),
        ([[0, 1], [0, 1], [0, {}]], "[2][1]", "is an object: expected a number, or a list of numbers"),
        ([[0, 1], [0, 1], [0]], "[2]", "is a list of 1: expected a list of 2, like body.images[0]"),
        ([[0], []], "[1]", "is a list of 0: expected a list of 1, like body.images[0]"),
        ([0, [0]], "[1]", "is a list of 1: expected a number, like body.images[0]"),
        ([[0], 0], "[1]", "is a number: expected a list of 1, like body.images[0]"),
        ([[[0]], [0]], "[1]", "is a list of 1: expected lists of shape (1, 1), like body.images[0]"),
        ([[0, [1]]], "[0][1]", "is a list of 1: expected a number, like body.images[0][0]"),
        ([[[[[0]]]]], "[0][0][0][0]", "is nested deeper than 4 lists: expected numbers"),
        ([[0, 1], [0, 10**400]], "[1][1]", "is an integer too large for a float64: expected a smaller number"),
        (10**400, "", "is an integer too large for a float64: expected a smaller number"),
    ],
)
def test_numbers_of_anything_else(value, where, why):
    """The first thing that is no number, or makes the lists uneven, is named by its path."""
    with pytest.raises(InvalidValueError) as caught:
        numbers(value, where="body.images")

    assert fault(caught) == (f"body.images{where}", why)


def test_numbers_nested_too_deep():
    """Lists nested a thousand deep, as deep as JSON is read, are refused without exhausting the stack."""
    value = []
    for _ in range(1000):
        value = [value]

    with pytest.raises(InvalidValueError, match="nested deeper"):
        numbers(value, where="body.images")


@given(json_trees)
def test_numbers_of_any_value(value):
    """Any JSON value gives an array or an `InvalidValueError` that names a place in it."""
    try:
        array = numbers(value, where="body")
    except InvalidValueError as error:
        where = error.errors[0].where
    else:
        where = "body"
        assert array.dtype == np.float64

    assert where.startswith("body")
