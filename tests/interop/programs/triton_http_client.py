"""Call every route under /v2 with Triton's own client: python triton_http_client.py HOST:PORT."""

import itertools
import sys

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

DTYPES = {"FP32": np.float32, "INT32": np.int32}

IMAGES = np.random.default_rng(0).random((3, 28, 28), np.float32)

LATENTS = np.random.default_rng(1).standard_normal((3, 20), np.float32)

VALUES = {"images": IMAGES, "latents": LATENTS, "eps": LATENTS, "n": np.array([3], np.int32)}

client = InferenceServerClient(sys.argv[1])


def make_inputs(metadata: dict, *, binary: bool = True) -> list[InferInput]:
    """Return a good value for each input of a model."""
    inputs = []
    for tensor in metadata["inputs"]:
        value = VALUES[tensor["name"]]
        assert value.dtype == DTYPES[tensor["datatype"]]
        inputs.append(InferInput(tensor["name"], value.shape, tensor["datatype"]))
        inputs[-1].set_data_from_numpy(value, binary_data=binary)
    return inputs


def expect_error(text: str, call: object, *arguments: object, **options: object) -> None:
    """Check that a call fails with a message that the client can read."""
    message = ""
    try:
        call(*arguments, **options)
    except InferenceServerException as error:
        message = str(error)
    assert text in message, message
    assert "an exception occurred in the client" not in message, message


def check_documents() -> list[str]:
    """Check health, metadata, configuration and index; return the models' names."""
    assert client.is_server_live()
    assert client.is_server_ready()
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    index = client.get_model_repository_index()
    assert len(index) == 18
    for entry in index:
        assert entry["state"] == "READY", entry
        for version in ("", "1"):
            assert client.is_model_ready(entry["name"], version)
            assert client.get_model_metadata(entry["name"], version)["name"] == entry["name"]
            assert client.get_model_config(entry["name"], version)["name"] == entry["name"]
    return [entry["name"] for entry in index]


def check_every_form(name: str) -> None:
    """Check that every form of a request has the same result, of the declared datatypes and shapes."""
    metadata = client.get_model_metadata(name)
    names = [tensor["name"] for tensor in metadata["outputs"]]
    results = []
    for binary, outputs, coding in itertools.product((True, False), (None, True, False), (None, "gzip", "deflate")):
        results.append(
            client.infer(
                name,
                make_inputs(metadata, binary=binary),
                outputs=None if outputs is None else [InferRequestedOutput(n, binary_data=outputs) for n in names],
                parameters={"seed": 7},
                request_compression_algorithm=coding,
                response_compression_algorithm=coding,
            )
        )
    for result in results:
        for tensor in metadata["outputs"]:
            array = result.as_numpy(tensor["name"])
            assert array.dtype == DTYPES[tensor["datatype"]]
            assert array.shape == tuple(3 if size == -1 else size for size in tensor["shape"])
            np.testing.assert_allclose(array, results[0].as_numpy(tensor["name"]), atol=1e-5)
    part = client.infer(
        name,
        make_inputs(metadata),
        outputs=[InferRequestedOutput(n, binary_data=index == 0) for index, n in enumerate(names[:2])],
        parameters={"seed": 7},
    )
    assert [output["name"] for output in part.get_response()["outputs"]] == names[:2]
    for n in names[:2]:
        np.testing.assert_allclose(part.as_numpy(n), results[0].as_numpy(n), atol=1e-5)


def check_ids_and_seeds() -> None:
    """Check that ids return, and that a seed gives the same noise in every framework."""
    metadata = client.get_model_metadata("jax-encode")
    for request_id in ("a", "é"):
        response = client.infer("jax-encode", make_inputs(metadata), request_id=request_id).get_response()
        assert response["id"] == request_id
    assert "id" not in client.infer("jax-encode", make_inputs(metadata)).get_response()
    drawn = client.infer("jax-encode", make_inputs(metadata)).get_response()["parameters"]["seed"]
    noises = []
    for framework in ("jax", "jax", "tensorflow", "pytorch"):
        result = client.infer(f"{framework}-encode", make_inputs(metadata), parameters={"seed": drawn})
        assert result.get_response()["parameters"]["seed"] == drawn
        mean, logvar, latents = map(result.as_numpy, ("mean", "logvar", "latents"))
        noises.append((latents - mean) / np.exp(logvar / 2))
    for noise in noises:
        np.testing.assert_allclose(noise, noises[0], atol=1e-3)


def check_lies() -> None:
    """Check that each lie is refused by a message, and that the connection goes on."""
    metadata = client.get_model_metadata("jax-encode")

    def lie(change: object, text: str = "[400]", **options: object) -> None:
        inputs = make_inputs(metadata)
        change(inputs)
        expect_error(text, client.infer, "jax-encode", inputs, **options)

    lie(lambda inputs: inputs[0].set_shape([4, 28, 28]))
    lie(lambda inputs: inputs[0].set_shape([3, 784]))
    lie(lambda inputs: setattr(inputs[0], "_datatype", "FP64"))
    lie(lambda inputs: setattr(inputs[0], "_raw_data", inputs[0]._raw_data + bytes(4)))
    lie(lambda inputs: setattr(inputs[0], "_raw_data", inputs[0]._raw_data[:-4]))
    for size in (9412, 9404, 18816, -28, 2**62):
        lie(lambda inputs, size=size: inputs[0]._parameters.update(binary_data_size=size))
    lie(lambda inputs: inputs[0].set_shared_memory("region", 9408))
    lie(lambda inputs: setattr(inputs[0], "_name", "pictures"))
    lie(lambda inputs: inputs.append(inputs[0]))
    lie(lambda _: None, outputs=[InferRequestedOutput("mean", class_count=2)])
    lie(lambda _: None, outputs=[InferRequestedOutput("probs")])
    for seed in (-1, 2**63, 1.5, True, "7"):
        lie(lambda _: None, parameters={"seed": seed})
    lie(lambda _: None, parameters={"sed": 7})
    lie(lambda inputs: inputs[0].set_shape([2000, 28, 28]), "[413]")
    for binary in (True, False):
        wrong = IMAGES.copy()
        wrong[1, 2, 3] = np.nan
        lie(lambda inputs, binary=binary, wrong=wrong: inputs[0].set_data_from_numpy(wrong, binary_data=binary))
    pair = make_inputs(client.get_model_metadata("jax-vae"))
    pair[1].set_shape([2, 20]).set_data_from_numpy(LATENTS[:2])
    expect_error("[400]", client.infer, "jax-vae", pair)
    headers: dict[str, str] = {}
    client.infer("jax-encode", make_inputs(metadata), headers=headers)
    assert headers
    expect_error(
        "Inference-Header-Content-Length",
        client.infer,
        "jax-encode",
        make_inputs(metadata, binary=False),
        outputs=[InferRequestedOutput("mean", binary_data=False)],
        headers=headers,
    )
    expect_error("[404]", client.infer, "resnet", make_inputs(metadata))
    expect_error("[404]", client.infer, "jax-encode", make_inputs(metadata), model_version="2")
    expect_error("[504]", client.infer, "jax-score", make_inputs(metadata), timeout=1)
    client.infer("jax-encode", make_inputs(metadata))


def check_repository() -> None:
    """Check that a framework's models can be unloaded and loaded, while the others serve."""
    metadata = client.get_model_metadata("jax-encode")
    client.unload_model("jax-encode")
    assert not client.is_model_ready("jax-decode")
    expect_error("[503]", client.infer, "jax-encode", make_inputs(metadata))
    states = {entry["name"]: entry["state"] for entry in client.get_model_repository_index()}
    assert states["jax-score"] == "UNAVAILABLE"
    assert states["pytorch-score"] == "READY"
    client.infer("pytorch-encode", make_inputs(metadata))
    client.load_model("jax-encode")
    client.infer("jax-encode", make_inputs(metadata))
    expect_error("[404]", client.load_model, "resnet")
    expect_error("[400]", client.load_model, "jax-encode", config="{}")


for model in check_documents():
    check_every_form(model)
check_ids_and_seeds()
check_lies()
check_repository()
print("all of it")
