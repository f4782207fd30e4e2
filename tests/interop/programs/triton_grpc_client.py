"""Call the gRPC service with Triton's own client: python triton_grpc_client.py HOST:PORT."""

import sys

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

VALUES = {
    "images": np.random.default_rng(0).random((3, 28, 28), np.float32),
    "latents": np.random.default_rng(1).standard_normal((3, 20), np.float32),
    "eps": np.random.default_rng(1).standard_normal((3, 20), np.float32),
    "n": np.array([3], np.int32),
}

TASKS = ("reconstruct", "encode", "decode", "sample", "score", "vae")

client = InferenceServerClient(sys.argv[1])


def make_inputs(name: str) -> list[InferInput]:
    """Return a good value for each input of a model."""
    inputs = []
    for tensor in client.get_model_metadata(name).inputs:
        value = VALUES[tensor.name]
        inputs.append(InferInput(tensor.name, value.shape, tensor.datatype))
        inputs[-1].set_data_from_numpy(value)
    return inputs


def status_of(call: object, *arguments: object, **options: object) -> str:
    """Return the status of a call that must fail."""
    status = ""
    try:
        call(*arguments, **options)
    except InferenceServerException as error:
        status = error.status()
    return status


assert client.is_server_live()
assert client.is_server_ready()
assert client.get_server_metadata().name == "triptych"
for framework in ("jax", "tensorflow", "pytorch"):
    for task in TASKS:
        model = f"{framework}-{task}"
        assert client.is_model_ready(model)
        metadata = client.get_model_metadata(model, "1")
        result = client.infer(model, make_inputs(model), request_id="é", parameters={"seed": 7})
        assert result.get_response().id == "é"
        for tensor in metadata.outputs:
            array = result.as_numpy(tensor.name)
            assert array.dtype == np.float32
            assert array.shape == tuple(3 if size == -1 else size for size in tensor.shape)
            assert np.isfinite(array).all()
        part = client.infer(
            model,
            make_inputs(model),
            outputs=[InferRequestedOutput(metadata.outputs[0].name)],
            parameters={"seed": 7},
        )
        assert [output.name for output in part.get_response().outputs] == [metadata.outputs[0].name]
        np.testing.assert_allclose(
            part.as_numpy(metadata.outputs[0].name), result.as_numpy(metadata.outputs[0].name), atol=1e-5
        )

inputs = make_inputs("jax-encode")
assert status_of(client.infer, "resnet", inputs) == "StatusCode.NOT_FOUND"
assert status_of(client.infer, "jax-encode", inputs, model_version="2") == "StatusCode.NOT_FOUND"
assert status_of(client.infer, "jax-encode", inputs, parameters={"sed": 7}) == "StatusCode.INVALID_ARGUMENT"
assert status_of(client.infer, "jax-encode", inputs, parameters={"seed": -1}) == "StatusCode.INVALID_ARGUMENT"
assert status_of(client.infer, "jax-encode", inputs, timeout=1) == "StatusCode.DEADLINE_EXCEEDED"
assert status_of(client.infer, "jax-encode", inputs, client_timeout=1e-6) == "StatusCode.DEADLINE_EXCEEDED"
inputs[0].set_shape([2, 28, 28])
assert status_of(client.infer, "jax-encode", inputs) == "StatusCode.INVALID_ARGUMENT"
inputs[0].set_shape([2000, 28, 28])
assert status_of(client.infer, "jax-encode", inputs) == "StatusCode.INVALID_ARGUMENT"
client.infer("jax-encode", make_inputs("jax-encode"))
print("all of it")
