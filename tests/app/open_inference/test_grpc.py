"""The gRPC service of a running server, called with the message classes of its own definition."""

import asyncio
import subprocess
import sys

import grpc
import numpy as np
import pytest

from app.errors import StartupError
from app.open_inference.grpc_server.definition import METHODS, SERVICE, message_class
from app.open_inference.signatures import TASKS
from tests.support.app import MODEL, make_service
from tests.support.clients.grpc_client import GrpcClient, make_request, read_outputs, serving
from tests.support.clients.inference_protocol import infer, make_inputs
from training.frameworks import FRAMEWORKS


@pytest.fixture(scope="module")
def service(checkpoints):
    """A client of the HTTP routes, and one of the gRPC service beside them."""
    with serving(checkpoints) as clients:
        yield clients


@pytest.fixture
def call(service):
    """A client of the gRPC service."""
    return service[1]


def assert_status(code, call, *arguments, **options):
    """Check that a call ends with a status and a sentence; return that."""
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **options)
    assert caught.value.code() is code, caught.value.details()
    assert len(caught.value.details()) > 20
    return caught.value


def test_server_is_described(call):
    """Liveness, readiness and metadata."""
    assert call("ServerLive").live
    assert call("ServerReady").ready
    assert call("ServerMetadata").name == "triptych"


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("task", TASKS)
def test_outputs_are_those_of_http(service, framework, task):
    """Raw or typed, the outputs are those of the HTTP routes with the same seed."""
    http, call = service
    name = f"{framework}-{task}"
    inputs = make_inputs(task)
    _, expected = infer(http, name, parameters={"seed": 7})

    for raw in (True, False):
        response = call("ModelInfer", make_request(name, inputs, raw=raw, seed=7))

        assert response.model_name == name
        assert bool(response.raw_output_contents) == raw
        arrays = read_outputs(response)
        assert list(arrays) == list(expected)
        for output, array in arrays.items():
            np.testing.assert_allclose(array, expected[output], atol=1e-5)


def test_metadata_is_that_of_http(service):
    """Names, datatypes and shapes are the same in both."""
    http, call = service
    expected = http.get("/v2/models/jax-vae").json()

    metadata = call("ModelMetadata", message_class("ModelMetadataRequest")(name="jax-vae", version="1"))

    assert metadata.platform == expected["platform"]
    for side in ("inputs", "outputs"):
        tensors = [
            {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
            for tensor in getattr(metadata, side)
        ]
        assert tensors == expected[side]


def test_requested_outputs_id_and_seed_come_back(call):
    """A subset is all that is sent, with the id and the seed."""
    request = make_request("jax-encode", make_inputs("encode"), seed=7)
    request.id = "é"
    request.outputs.add(name="latents")

    response = call("ModelInfer", request)

    assert response.id == "é"
    assert response.parameters["seed"].int64_param == 7
    assert [output.name for output in response.outputs] == ["latents"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda request: setattr(request, "model_name", "resnet"), grpc.StatusCode.NOT_FOUND),
        (lambda request: setattr(request, "model_version", "2"), grpc.StatusCode.NOT_FOUND),
        (lambda request: request.raw_input_contents.append(b""), grpc.StatusCode.INVALID_ARGUMENT),
        (lambda request: request.raw_input_contents.__setitem__(0, bytes(8)), grpc.StatusCode.INVALID_ARGUMENT),
        (lambda request: request.inputs[0].contents.fp32_contents.append(1), grpc.StatusCode.INVALID_ARGUMENT),
        (lambda request: request.inputs[0].shape.append(1), grpc.StatusCode.INVALID_ARGUMENT),
        (lambda request: request.inputs[0].shape.__setitem__(0, -3), grpc.StatusCode.INVALID_ARGUMENT),
        (lambda request: request.inputs[0].shape.__setitem__(0, 2000), grpc.StatusCode.INVALID_ARGUMENT),
        (lambda request: setattr(request.inputs[0], "datatype", "FP64"), grpc.StatusCode.INVALID_ARGUMENT),
        (lambda request: request.inputs.pop(), grpc.StatusCode.INVALID_ARGUMENT),
        (lambda request: request.outputs.add(name="probs"), grpc.StatusCode.INVALID_ARGUMENT),
        (
            lambda request: setattr(request.parameters["sed"], "int64_param", 7),
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
        (
            lambda request: setattr(request.parameters["seed"], "double_param", 7.0),
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
        (
            lambda request: setattr(request.parameters["timeout"], "int64_param", 1),
            grpc.StatusCode.DEADLINE_EXCEEDED,
        ),
    ],
)
def test_lie_ends_with_its_status(call, change, code):
    """Each lie has the status of its HTTP error, and the next call is served."""
    request = make_request("jax-encode", make_inputs("encode"))
    change(request)

    assert_status(code, call, "ModelInfer", request)
    assert call("ModelInfer", make_request("jax-encode", make_inputs("encode"))).outputs


def test_model_that_is_unknown_is_not_found(call):
    """Readiness and metadata tell an unknown model from one that isn't ready."""
    for name in ("ModelReady", "ModelMetadata"):
        assert_status(grpc.StatusCode.NOT_FOUND, call, name, message_class(f"{name}Request")(name="resnet"))


def test_model_that_is_unloaded_is_unavailable(checkpoints):
    """A framework that isn't served is not ready, and its calls end with UNAVAILABLE."""
    with serving(checkpoints, model_control_mode="explicit") as (http, call):
        http.post("/v2/repository/models/jax-encode/unload")
        ready = call("ModelReady", message_class("ModelReadyRequest")(name="jax-encode")).ready
        error = assert_status(
            grpc.StatusCode.UNAVAILABLE, call, "ModelInfer", make_request("jax-encode", make_inputs("encode"))
        )
        server_ready = call("ServerReady").ready

    assert not ready
    assert not server_ready
    assert int(dict(error.trailing_metadata())["retry-after"]) > 0


def test_compressed_message_is_refused(call):
    """gRPC bounds no message after it is decompressed, so that a small one could fill the memory."""
    compressing = GrpcClient(call.port, compression=grpc.Compression.Gzip)

    assert_status(
        grpc.StatusCode.UNIMPLEMENTED, compressing, "ModelInfer", make_request("jax-encode", make_inputs("encode"))
    )
    compressing.close()


def test_message_over_the_limit_is_refused(checkpoints):
    """A message is under the limit of a body."""
    with serving(checkpoints, frameworks="jax", max_body_bytes=1024) as (_, call):
        inputs = {"images": np.zeros((100, 28, 28), np.float32)}
        assert_status(grpc.StatusCode.RESOURCE_EXHAUSTED, call, "ModelInfer", make_request("jax-encode", inputs))


def test_keys_are_required_but_for_health(checkpoints):
    """The key is in the metadata, under the names of the HTTP headers."""
    request = make_request("jax-encode", make_inputs("encode"))
    with serving(checkpoints, frameworks="jax", api_keys="k3y") as (_, call):
        live = call("ServerLive").live
        assert_status(grpc.StatusCode.UNAUTHENTICATED, call, "ModelInfer", request)
        for metadata in ((("authorization", "Bearer k3y"),), (("x-api-key", "k3y"),)):
            assert call("ModelInfer", request, metadata=metadata).outputs

    assert live


def test_rate_limit_is_resource_exhausted(checkpoints):
    """The rate limit counts calls as it counts requests."""
    with serving(checkpoints, frameworks="jax", rate_limit="1/hour") as (_, call):
        call("ServerMetadata")
        assert_status(grpc.StatusCode.RESOURCE_EXHAUSTED, call, "ServerMetadata")


def test_metrics_count_calls(service):
    """A call is counted by its name, framework and status."""
    http, call = service
    call("ModelInfer", make_request("pytorch-encode", make_inputs("encode")))

    text = http.get("/metrics").text

    assert f'framework="pytorch",route="/{SERVICE}/ModelInfer",status="200"' in text


def test_port_that_is_taken_ends_the_start(checkpoints, service):
    """A port that another service listens on is a startup error that names the setting."""
    app = make_service(checkpoints, grpc_port=service[1].port)

    with pytest.raises(StartupError, match="TRIPTYCH_GRPC_PORT"):
        asyncio.run(app.start_grpc())


def test_extra_that_is_missing_ends_the_start(checkpoints, monkeypatch):
    """Without gRPC the error has the command that installs it."""
    monkeypatch.setitem(sys.modules, "app.open_inference.grpc_server.server", None)

    with pytest.raises(StartupError, match=r"triptych\[grpc\]"):
        make_service(checkpoints, grpc_port=0)


def test_application_imports_grpc_only_where_it_is_set():
    """A service without a gRPC port doesn't pay for it."""
    script = "import sys, app.main; assert 'grpc' not in sys.modules"

    subprocess.run([sys.executable, "-c", script], check=True)


def test_methods_are_those_of_the_definition():
    """Every call has its two messages."""
    for name in METHODS:
        assert message_class(f"{name}Request")
        assert message_class(f"{name}Response")
    assert MODEL.latent_dim == 20


def test_calls_have_a_line_in_the_access_log(checkpoints, caplog):
    """The same fields as a request over HTTP, under the call's name; metadata are its headers."""
    caplog.set_level("INFO", "app.access")
    with serving(checkpoints, frameworks="jax", access_log=True) as (_, call):
        call("ModelInfer", make_request("jax-encode", make_inputs("encode")), metadata=[("x-request-id", "mine-2")])
        with pytest.raises(grpc.RpcError):
            call("ModelInfer", make_request("jax-nothing", {}))

    lines = [record.fields for record in caplog.records if record.name == "app.access"]
    route = f"/{SERVICE}/ModelInfer"
    first, second = (line for line in lines if line["route"] == route)
    assert (first["id"], first["status"], first["framework"], first["client"]) == ("mine-2", 200, "jax", "127.0.0.1")
    assert first["images"] == len(next(iter(make_inputs("encode").values())))
    assert (second["status"], second["error"]) == (404, "NotFoundError")
