"""Infer requests as bytes: inputs in JSON and in binary, requested outputs, parameters."""

import json

import numpy as np
import pytest

from app.errors import InvalidValueError, MalformedBodyError
from app.open_inference.messages.request_head import RequestedOutput
from app.open_inference.messages.requests import parse_request
from app.open_inference.signatures import TASKS
from tests.support.clients.inference_protocol import make_body, make_inputs, make_tensor, target_of

IMAGES = make_inputs("encode")["images"]


def parse(body, header=None, task="encode"):
    """Return the request of a body for a task."""
    return parse_request(body, header_length=header, target=target_of(task))


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("task", TASKS)
def test_inputs_arrive_bit_for_bit(task, binary):
    """An input has the same bits after the wire, as JSON and in binary, and is aligned however long the JSON is."""
    inputs = make_inputs(task)

    for length in range(8):
        body, header = make_body(inputs, binary=binary, id="x" * length)
        request = parse(body, header, task)

        assert list(request.inputs) == list(inputs)
        for name, array in inputs.items():
            received = request.inputs[name]
            assert received.flags.aligned
            assert received.dtype == array.dtype
            assert received.tobytes() == array.tobytes()


def test_json_data_may_be_nested():
    """The numbers of a tensor are row-major, whether nested or flat."""
    tensor = {"name": "images", "shape": [3, 28, 28], "datatype": "FP32", "data": IMAGES.tolist()}

    request = parse(json.dumps({"inputs": [tensor]}).encode())

    assert request.inputs["images"].tobytes() == IMAGES.tobytes()


def test_binary_and_json_inputs_mix():
    """Of two inputs one may be JSON and the other binary."""
    inputs = make_inputs("vae")
    tensors = [
        make_tensor("images", inputs["images"], binary=False),
        make_tensor("eps", inputs["eps"], binary=True),
    ]
    text = json.dumps({"inputs": tensors}).encode()

    request = parse(text + inputs["eps"].tobytes(), str(len(text)), "vae")

    assert request.inputs["images"].tobytes() == inputs["images"].tobytes()
    assert request.inputs["eps"].tobytes() == inputs["eps"].tobytes()


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, [("mean", False), ("logvar", False), ("latents", False)]),
        ({"outputs": []}, [("mean", False), ("logvar", False), ("latents", False)]),
        ({"parameters": {"binary_data_output": True}}, [("mean", True), ("logvar", True), ("latents", True)]),
        ({"outputs": [{"name": "latents"}, {"name": "mean"}]}, [("latents", False), ("mean", False)]),
        (
            {
                "outputs": [{"name": "mean", "parameters": {"binary_data": False}}, {"name": "logvar"}],
                "parameters": {"binary_data_output": True},
            },
            [("mean", False), ("logvar", True)],
        ),
    ],
)
def test_outputs_are_those_requested_in_their_form(members, expected):
    """An output's own `binary_data` beats the request's `binary_data_output`; no outputs are all outputs."""
    body, header = make_body({"images": IMAGES}, **members)

    request = parse(body, header)

    assert request.outputs == tuple(RequestedOutput(*output) for output in expected)


def test_parameters_are_read():
    """Seed and timeout are this service's; the reserved ones of the protocol change nothing."""
    reserved = {"priority": 3, "sequence_id": 4, "sequence_start": True, "sequence_end": False, "headers": {}}
    body, header = make_body({"images": IMAGES}, parameters={"seed": 2**63 - 1, "timeout": 1_500_000, **reserved})

    parameters = parse(body, header).parameters

    assert parameters.seed == 2**63 - 1
    assert parameters.timeout_s == 1.5


def test_samples_are_a_parameter_of_score_alone():
    """The number of draws is read for `score` and unknown elsewhere."""
    body, header = make_body({"images": IMAGES}, parameters={"samples": 7})

    assert parse(body, header, "score").parameters.samples == 7
    with pytest.raises(InvalidValueError, match="samples is unknown"):
        parse(body, header, "encode")


@pytest.mark.parametrize("request_id", [None, "", "é", "x" * 1000])
def test_id_is_kept(request_id):
    """The client's id is returned as it is."""
    members = {} if request_id is None else {"id": request_id}
    body, header = make_body({"images": IMAGES}, **members)

    assert parse(body, header).id == request_id


@pytest.mark.parametrize("rows", [1, 2])
def test_raw_request_is_the_bytes_of_the_only_input(rows):
    """With a header of 0 the body is the input, whose batch follows from its length; outputs are binary."""
    request = parse(IMAGES[:rows].tobytes(), "0")

    assert request.inputs["images"].tobytes() == IMAGES[:rows].tobytes()
    assert all(output.is_binary for output in request.outputs)


def test_raw_request_of_a_count():
    """The count of `sample` is four bytes."""
    request = parse(np.int32(16).tobytes(), "0", "sample")

    assert request.inputs["n"].tolist() == [16]


def test_name_in_the_body_may_agree():
    """KServe's client repeats the model's name beside the id."""
    body, header = make_body({"images": IMAGES}, model_name="jax-encode", id="1")

    assert parse(body, header).id == "1"


def test_tensors_after_the_json_without_the_header_are_explained():
    """The body isn't JSON then: the message names the header that says where the JSON ends."""
    body, length = make_body({"images": IMAGES})

    with pytest.raises(MalformedBodyError, match="tensors in binary follow the JSON, send Inference-Header-Content-L"):
        parse(body)
    with pytest.raises(MalformedBodyError, match="send Inference-Header-Content-Length, the length of the JSON"):
        parse(body[: int(length)] + bytes(IMAGES.nbytes))
    with pytest.raises(MalformedBodyError, match="empty: send a JSON object$"):
        parse(b"")
