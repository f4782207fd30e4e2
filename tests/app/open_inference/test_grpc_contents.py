"""Typed contents of gRPC's inputs that don't fit: the error has the names of gRPC's fields."""

import pytest

from app.errors import InvalidValueError
from app.open_inference.grpc_server.messages import read_request
from tests.support.clients.grpc_client import make_request
from tests.support.clients.inference_protocol import make_inputs, target_of


def read_changed(task, change):
    """Return the error of a request, the first input of which is changed."""
    message = make_request(f"jax-{task}", make_inputs(task), raw=False)
    change(message.inputs[0])
    with pytest.raises(InvalidValueError) as caught:
        read_request(message, target_of(task))
    return str(caught.value)


def move(tensor, old, new):
    """Move an input's numbers to another field."""
    getattr(tensor.contents, new).extend(getattr(tensor.contents, old))
    tensor.contents.ClearField(old)


@pytest.mark.parametrize(
    ("task", "change", "expected"),
    [
        (
            "encode",
            lambda tensor: move(tensor, "fp32_contents", "fp64_contents"),
            "inputs.images has contents.fp64_contents: expected contents.fp32_contents, as its datatype FP32 says",
        ),
        (
            "encode",
            lambda tensor: tensor.contents.fp64_contents.append(1),
            "inputs.images has contents.fp32_contents and contents.fp64_contents: expected contents.fp32_contents",
        ),
        ("encode", lambda tensor: tensor.ClearField("contents"), "inputs.images has no contents: expected contents."),
        (
            "sample",
            lambda tensor: move(tensor, "int_contents", "int64_contents"),
            "inputs.n has contents.int64_contents: expected contents.int_contents, as its datatype INT32 says",
        ),
    ],
)
def test_other_field_than_that_of_the_datatype_is_named(task, change, expected):
    """The message names the fields that there are, and the one that is expected."""
    message = read_changed(task, change)

    assert message.startswith(expected)
    assert message.endswith("or raw_input_contents")


@pytest.mark.parametrize(
    ("task", "change", "expected"),
    [
        (
            "encode",
            lambda tensor: tensor.contents.fp32_contents.pop(),
            "inputs.images.contents.fp32_contents holds 2351",
        ),
        (
            "sample",
            lambda tensor: tensor.contents.int_contents.append(3),
            "inputs.n.contents.int_contents holds 2 numbers",
        ),
    ],
)
def test_wrong_count_is_that_of_a_field(task, change, expected):
    """There is no field `data` in a message."""
    assert read_changed(task, change).startswith(expected)


def test_datatype_is_checked_before_the_contents():
    """With the expected datatype the contents fit, so that the error is about the former."""
    message = read_changed("encode", lambda tensor: setattr(tensor, "datatype", "INT32"))

    assert message.startswith("inputs.images.datatype is 'INT32': expected 'FP32'")
