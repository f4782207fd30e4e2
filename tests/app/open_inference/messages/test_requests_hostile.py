"""Infer requests that lie or are broken: each is refused, before any array is made of it."""

import json

import numpy as np
import pytest

from app.errors import InvalidValueError, MalformedBodyError, TooLargeError
from app.open_inference.messages.requests import parse_request
from tests.support.clients.inference_protocol import LIMITS, make_body, make_inputs, make_tensor, target_of

IMAGES = make_inputs("encode")["images"]


def parse(body, header=None, task="encode"):
    """Return the request of a body for a task."""
    return parse_request(body, header_length=header, target=target_of(task))


@pytest.mark.parametrize(
    ("task", "body"),
    [
        ("encode", b""),
        ("encode", IMAGES.tobytes()[:-1]),
        ("sample", b""),
        ("sample", bytes(8)),
        ("vae", IMAGES.tobytes()),
    ],
)
def test_raw_request_that_does_not_fit_is_refused(task, body):
    """A raw body that is empty, that doesn't divide, or for a model of two inputs."""
    with pytest.raises(InvalidValueError):
        parse(body, "0", task)


def test_raw_request_over_the_limit_is_too_large():
    """The batch of a raw body is under the same limit."""
    with pytest.raises(TooLargeError):
        parse(bytes(4 * 784 * (LIMITS.max_images + 1)), "0")


@pytest.mark.parametrize("header", ["-1", "x", "", "1.5", "٣", "9" * 5000, "188, 188", "1000000"])
def test_header_that_is_no_length_within_the_body_is_refused(header):
    """The header is digits and at most the body's length; the message names it."""
    body, _ = make_body({"images": IMAGES})

    with pytest.raises(MalformedBodyError, match="Inference-Header-Content-Length"):
        parse(body, header)


def test_header_of_another_request_is_named():
    """A header that a client kept from an earlier request cuts the JSON: the message has both lengths."""
    body, _ = make_body({"images": IMAGES}, binary=False)

    with pytest.raises(MalformedBodyError, match=f"the first 188 of the body's {len(body)} bytes"):
        parse(body, "188")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"inputs": ' + b"1" * 5000 + b"}",
        b'{"inputs": null}',
        b'{"inputs": {}}',
        b'{"inputs": [1]}',
        b'{"inputs": [[]]}',
        b'{"inputs": []}',
        b'{"id": 1, "inputs": []}',
    ],
)
def test_body_that_is_no_request_is_refused(body):
    """Whatever isn't the JSON of a request is refused, never a crash."""
    with pytest.raises((MalformedBodyError, InvalidValueError)):
        parse(body)


def images_tensor(**changes):
    """Return the tensor of images in JSON with some members changed; None leaves one out."""
    tensor = make_tensor("images", IMAGES, binary=False) | changes
    return {name: value for name, value in tensor.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "image"}, "expected images"),
        ({"name": None}, "missing"),
        ({"name": 3}, "missing, or not a string"),
        ({"datatype": "FP64"}, "expected 'FP32'"),
        ({"datatype": None}, "expected 'FP32'"),
        ({"shape": None}, "shape is not a list"),
        ({"shape": [3, 784]}, r"expected \[n, 28, 28\]"),
        ({"shape": [3, 28]}, r"expected \[n, 28, 28\]"),
        ({"shape": [-3, 28, 28]}, "shape is not a list of whole"),
        ({"shape": [3.0, 28, 28]}, "shape is not a list of whole"),
        ({"shape": [True, 28, 28]}, "shape is not a list of whole"),
        ({"shape": [0, 28, 28], "data": []}, "at least one"),
        ({"shape": [2, 28, 28]}, "holds 2352 numbers: expected 1568"),
        ({"data": None}, "neither data nor|neither"),
        ({"parameters": {"binary_data_size": 9408}}, "both"),
        ({"parameters": []}, "not an object"),
        ({"parameters": {"shared_memory_region": "x"}}, "not supported"),
        ({"data": 3}, "not a list"),
        ({"data": "x"}, "not a list"),
        ({"data": [0.5] * 2351 + [True]}, "a boolean"),
        ({"data": [0.5] * 2351 + ["0.5"]}, "a string"),
        ({"data": [0.5] * 2351 + [None]}, "null"),
        ({"data": [0.5] * 2351 + [1.5]}, "expected 0 to 1"),
        ({"data": [[0.5] * 2351, [0.5]]}, "expected a list of 2351"),
    ],
)
def test_input_that_is_wrong_is_refused(changes, message):
    """Each lie about an input is named with the expectation."""
    body = json.dumps({"inputs": [images_tensor(**changes)]}).encode()

    with pytest.raises(InvalidValueError, match=message):
        parse(body)


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"1e400", b"1" * 5000])
def test_number_that_json_or_float_lacks_is_refused(value):
    """A pixel that isn't a finite float is refused."""
    body = json.dumps({"inputs": [images_tensor(data=[0.5] * 2351 + [-9])]}).encode().replace(b"-9", value)

    with pytest.raises(MalformedBodyError):
        parse(body)


@pytest.mark.parametrize("nbytes", [9404, 9412, 18816, -28, 0, 2**62, 9408.0, True, "9408"])
def test_binary_size_other_than_the_shape_says_is_refused(nbytes):
    """The bytes of a tensor follow from shape and datatype, whatever the client says."""
    tensor = images_tensor(data=None, parameters={"binary_data_size": nbytes})
    text = json.dumps({"inputs": [tensor]}).encode()

    with pytest.raises(InvalidValueError, match="expected 9408"):
        parse(text + IMAGES.tobytes(), str(len(text)))


@pytest.mark.parametrize("cut", [-4, 4])
def test_bytes_that_are_missing_or_left_over_are_refused(cut):
    """The tensors fill the body to its end."""
    body, header = make_body({"images": IMAGES})
    body = body[:cut] if cut < 0 else body + bytes(cut)

    with pytest.raises(InvalidValueError, match=r"has (9404 bytes left|4 bytes after)"):
        parse(body, header)


def test_binary_input_without_the_header_is_refused():
    """Without the header all of the body is JSON, so that no bytes are left for a tensor."""
    text = json.dumps({"inputs": [make_tensor("images", IMAGES, binary=True)]}).encode()

    with pytest.raises(InvalidValueError, match="0 bytes left"):
        parse(text)


@pytest.mark.parametrize("shape", [[65, 28, 28], [2**62, 28, 28]])
def test_batch_over_the_limit_is_refused_by_its_shape(shape):
    """No array of a size that the client chose is made."""
    body = json.dumps({"inputs": [images_tensor(shape=shape, data=[])]}).encode()

    with pytest.raises(TooLargeError):
        parse(body)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1, 1.01])
def test_binary_pixel_out_of_range_is_refused(value):
    """Values are checked in binary as in JSON."""
    images = IMAGES.copy()
    images[1, 2, 3] = value

    with pytest.raises(InvalidValueError, match=r"inputs.images\[1\].*expected 0 to 1"):
        parse(*make_body({"images": images}))


@pytest.mark.parametrize("data", [[0], [-1], [1.5], [2**31], [True], ["3"], [1, 2], []])
def test_count_that_is_none_is_refused(data):
    """The count of `sample` is one whole number from 1."""
    tensor = {"name": "n", "shape": [1], "datatype": "INT32", "data": data}

    with pytest.raises(InvalidValueError):
        parse(json.dumps({"inputs": [tensor]}).encode(), task="sample")


def test_count_over_the_limit_is_too_large():
    """The count is under the limit of a batch."""
    with pytest.raises(TooLargeError):
        parse(*make_body({"n": np.array([65], np.int32)}), "sample")


def test_inputs_of_unlike_batches_are_refused():
    """Images and noise belong together one by one."""
    inputs = make_inputs("vae")

    with pytest.raises(InvalidValueError, match="images has 3, eps has 2"):
        parse(*make_body(inputs | {"eps": inputs["eps"][:2]}), "vae")


def test_input_that_is_missing_or_doubled_is_refused():
    """Each declared input is there once."""
    inputs = make_inputs("vae")
    tensor = make_tensor("images", IMAGES, binary=False)

    with pytest.raises(InvalidValueError, match="lacks eps"):
        parse(*make_body({"images": inputs["images"]}), "vae")
    with pytest.raises(InvalidValueError, match="second time"):
        parse(json.dumps({"inputs": [tensor, tensor]}).encode())


@pytest.mark.parametrize(
    "members",
    [
        {"outputs": [{"name": "probs"}]},
        {"outputs": [{"name": "mean"}, {"name": "mean"}]},
        {"outputs": [{}]},
        {"outputs": ["mean"]},
        {"outputs": {"name": "mean"}},
        {"outputs": [{"name": "mean", "parameters": {"classification": 2}}]},
        {"outputs": [{"name": "mean", "parameters": {"shared_memory_region": "x"}}]},
        {"outputs": [{"name": "mean", "parameters": {"binary_data": 1}}]},
        {"parameters": []},
        {"parameters": {"sed": 7}},
        {"parameters": {"binary_data_output": "true"}},
        {"parameters": {"timeout": -1}},
        *({"parameters": {"seed": seed}} for seed in (-1, 2**63, 1.5, True, "7", None)),
        {"model_name": "jax-decode"},
        {"model_name": 3},
        {"id": 3},
    ],
)
def test_member_beside_the_inputs_that_is_wrong_is_refused(members):
    """Outputs, parameters, id and name are checked as the inputs are."""
    with pytest.raises(InvalidValueError):
        parse(*make_body({"images": IMAGES}, **members))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"parameters": {"sed": 7}}, "known here are seed, timeout, binary_data_output"),
        (
            {"inputs": [{"name": "images", "shape": list(IMAGES.shape), "datatype": "FP32"}]},
            "has neither data nor parameters",
        ),
    ],
)
def test_message_says_which_are_possible(members, message):
    """Unknown parameters, and an input without data."""
    body, _ = make_body({"images": IMAGES}, binary=False)
    with pytest.raises(InvalidValueError, match=message):
        parse(json.dumps(json.loads(body) | members).encode(), None)
