"""Infer requests of the Open Inference Protocol as a client writes them, and responses as it reads them."""

import json

import numpy as np

from app.codecs.limits import Limits
from app.open_inference.catalog import ModelName
from tests.support.app import MODEL, make_images
from tests.support.limits import make_limits
from training.config import ModelConfig

LIMITS = make_limits(max_images=64, max_samples=100)

DTYPES = {"FP32": "<f4", "INT32": "<i4"}


def target_of(task: str, model: ModelConfig = MODEL, limits: Limits = LIMITS):
    """Return the model that a request for a task of JAX is checked against."""
    return ModelName("jax", task).with_limits(model, limits)


def make_inputs(task: str, count: int = 3) -> dict[str, np.ndarray]:
    """Return good inputs of a task, by name."""
    latents = np.random.default_rng(5).standard_normal((count, MODEL.latent_dim), np.float32)
    images = make_images(count).reshape(-1, *MODEL.image_shape)
    return {
        "decode": {"latents": latents},
        "sample": {"n": np.array([count], np.int32)},
        "vae": {"images": images, "eps": latents},
    }.get(task, {"images": images})


def make_tensor(name: str, array: np.ndarray, *, binary: bool) -> dict[str, object]:
    """Return an input as JSON has it: with its data, or with the length of its bytes."""
    tensor: dict[str, object] = {"name": name, "shape": list(array.shape)}
    tensor["datatype"] = "INT32" if array.dtype == np.int32 else "FP32"
    if binary:
        return tensor | {"parameters": {"binary_data_size": array.nbytes}}
    return tensor | {"data": array.ravel().tolist()}


def make_body(inputs: dict[str, np.ndarray], *, binary: bool = True, **members: object) -> tuple[bytes, str | None]:
    """Return a request's body and its header of the JSON's length; the members are those beside the inputs."""
    tensors = [make_tensor(name, array, binary=binary) for name, array in inputs.items()]
    text = json.dumps({"inputs": tensors, **members}).encode()
    if not binary:
        return text, None
    return text + b"".join(array.tobytes() for array in inputs.values()), str(len(text))


def read_response(body: bytes, header_length: int | None) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Return a response's members and its arrays by name."""
    members = json.loads(body[:header_length])
    rest = b"" if header_length is None else body[header_length:]
    arrays = {}
    for output in members["outputs"]:
        dtype = DTYPES[output["datatype"]]
        if "data" in output:
            array = np.array(output["data"], dtype)
        else:
            nbytes = output["parameters"]["binary_data_size"]
            array, rest = np.frombuffer(rest[:nbytes], dtype), rest[nbytes:]
        arrays[output["name"]] = array.reshape(output["shape"])
    assert not rest
    return members, arrays


def infer(client, name, inputs=None, *, headers=None, binary=True, **members):
    """Return the response's members and arrays, of a request that must succeed."""
    body, length = make_body(make_inputs(name.split("-")[1]) if inputs is None else inputs, binary=binary, **members)
    response = post(client, name, body, length, **(headers or {}))
    assert response.status_code == 200, response.text[:300]
    header = response.headers.get("Inference-Header-Content-Length")
    return read_response(response.content, header and int(header))


def post(client, name, body, length=None, **headers):
    """Post a body to a model's infer route."""
    if length is not None:
        headers["Inference-Header-Content-Length"] = length
    return client.post(f"/v2/models/{name}/infer", content=body, headers={"Accept-Encoding": "identity", **headers})


def assert_error(response, status):
    """Check that the response is the protocol's error of that status."""
    assert response.status_code == status, response.text[:300]
    assert response.headers["Content-Type"] == "application/json"
    assert "Content-Encoding" not in response.headers
    assert "X-Request-ID" in response.headers
    document = response.json()
    assert list(document) == ["error"]
    assert len(document["error"]) > 10
