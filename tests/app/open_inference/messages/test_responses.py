"""Infer responses as bytes, and the documents that describe a model."""

import numpy as np
import pytest

from app.errors import InvalidValueError
from app.open_inference.catalog import ModelName
from app.open_inference.messages.requests import parse_request
from app.open_inference.messages.responses import dump_response
from app.open_inference.signatures import TASKS
from tests.support.app import MODEL
from tests.support.clients.inference_protocol import LIMITS, make_body, make_inputs, read_response, target_of


def respond(task, arrays, **members):
    """Return the members and arrays of the response to a request with these members."""
    target = target_of(task)
    body, header = make_body(make_inputs(task), **members)
    request = parse_request(body, header_length=header, target=target)
    return read_response(*dump_response(request, target, arrays, {"seed": 7}))


def make_outputs(task, count=3):
    """Return an array for each output of a task."""
    random = np.random.default_rng(3)
    shapes = {spec.name: (count, *spec.shape[1:]) for spec in target_of(task).signature.outputs}
    return {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("task", TASKS)
def test_outputs_arrive_bit_for_bit(task, binary):
    """Every output has the same bits after the wire, as JSON and in binary."""
    arrays = make_outputs(task)

    members, received = respond(task, arrays, parameters={"binary_data_output": binary})

    assert members["model_name"] == f"jax-{task}"
    assert members["model_version"] == "1"
    assert members["parameters"] == {"seed": 7}
    assert list(received) == list(arrays)
    for name, array in arrays.items():
        assert received[name].shape == array.shape
        assert received[name].tobytes() == array.tobytes()


def test_outputs_come_in_the_requested_order_and_form():
    """A subset, mixed, is all that is sent; JSON is flat and has no parameters."""
    arrays = make_outputs("encode")
    outputs = [{"name": "latents", "parameters": {"binary_data": True}}, {"name": "mean"}]

    members, received = respond("encode", arrays, outputs=outputs)

    binary, text = members["outputs"]
    assert binary["parameters"] == {"binary_data_size": arrays["latents"].nbytes}
    assert "parameters" not in text
    assert np.shape(text["data"]) == (arrays["mean"].size,)
    assert list(received) == ["latents", "mean"]


@pytest.mark.parametrize(("members", "expected"), [({}, None), ({"id": ""}, ""), ({"id": "é"}, "é")])
def test_id_is_returned_where_there_is_one(members, expected):
    """The client's id is returned unchanged, and no id without one."""
    response, _ = respond("encode", make_outputs("encode"), **members)

    assert response.get("id") == expected
    assert ("id" in response) == bool(members)


def test_transposed_output_is_sent_row_major():
    """An array of another layout has its numbers in the declared order."""
    arrays = make_outputs("encode") | {"mean": np.asfortranarray(make_outputs("encode")["mean"])}

    _, received = respond("encode", arrays, parameters={"binary_data_output": True})

    np.testing.assert_array_equal(received["mean"], arrays["mean"])


def test_output_that_is_not_finite_is_no_json():
    """JSON has no infinity: the client hears that its numbers are too large."""
    arrays = make_outputs("encode") | {"latents": np.full((3, MODEL.latent_dim), np.inf, np.float32)}

    with pytest.raises(InvalidValueError, match="latents isn't finite"):
        respond("encode", arrays)


def test_metadata_describes_both_sides():
    """Names, datatypes and shapes with the batch first, and the platform."""
    assert ModelName("jax", "vae").describe(MODEL) == {
        "name": "jax-vae",
        "versions": ["1"],
        "platform": "jax_safetensors",
        "inputs": [
            {"name": "images", "datatype": "FP32", "shape": [-1, 28, 28]},
            {"name": "eps", "datatype": "FP32", "shape": [-1, 20]},
        ],
        "outputs": [
            {"name": "logits", "datatype": "FP32", "shape": [-1, 28, 28]},
            {"name": "mean", "datatype": "FP32", "shape": [-1, 20]},
            {"name": "logvar", "datatype": "FP32", "shape": [-1, 20]},
        ],
    }


def test_configuration_leaves_the_batch_out():
    """Triton's configuration names the largest batch, and dimensions without it."""
    config = ModelName("jax", "encode").configure(MODEL, LIMITS)

    assert config["max_batch_size"] == LIMITS.max_images
    assert config["input"] == [{"name": "images", "data_type": "TYPE_FP32", "dims": [28, 28]}]
    assert config["output"][0] == {"name": "mean", "data_type": "TYPE_FP32", "dims": [20]}


def test_configuration_of_sample_does_not_batch():
    """The count is one number, and the number of images follows from it."""
    config = ModelName("jax", "sample").configure(MODEL, LIMITS)

    assert config["max_batch_size"] == 0
    assert config["input"] == [{"name": "n", "data_type": "TYPE_INT32", "dims": [1]}]
    assert config["output"][0] == {"name": "probs", "data_type": "TYPE_FP32", "dims": [-1, 28, 28]}
