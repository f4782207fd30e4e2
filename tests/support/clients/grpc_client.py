"""A client of the gRPC service, with the message classes of its own definition."""

from contextlib import contextmanager

import grpc
import numpy as np

from app.open_inference.grpc_server.definition import SERVICE, message_class
from tests.support.app import make_service, running, wait_until

CONTENTS = {"FP32": "fp32_contents", "INT32": "int_contents"}


class GrpcClient:
    """Calls by their names."""

    def __init__(self, port, host="127.0.0.1", **options):
        self.port = port
        self._channel = grpc.insecure_channel(f"{host}:{port}", **options)

    def __call__(self, name, request=None, **options):
        """Return the response of a call."""
        call = self._channel.unary_unary(
            f"/{SERVICE}/{name}",
            request_serializer=message_class(f"{name}Request").SerializeToString,
            response_deserializer=message_class(f"{name}Response").FromString,
        )
        return call(message_class(f"{name}Request")() if request is None else request, timeout=20, **options)

    def close(self):
        """Close the channel."""
        self._channel.close()


def make_request(name, inputs, *, raw=True, **parameters):
    """Return a request of an infer call."""
    request = message_class("ModelInferRequest")(model_name=name)
    for parameter, value in parameters.items():
        request.parameters[parameter].int64_param = value
    for input_name, array in inputs.items():
        datatype = "INT32" if array.dtype == np.int32 else "FP32"
        tensor = request.inputs.add(name=input_name, datatype=datatype, shape=array.shape)
        if raw:
            request.raw_input_contents.append(array.tobytes())
        else:
            getattr(tensor.contents, CONTENTS[datatype]).extend(array.ravel().tolist())
    return request


def read_outputs(response):
    """Return the arrays of a response by name."""
    raw = list(response.raw_output_contents) or [None] * len(response.outputs)
    assert len(raw) == len(response.outputs)
    arrays = {}
    for output, content in zip(response.outputs, raw, strict=True):
        values = output.contents.fp32_contents if content is None else np.frombuffer(content, "<f4")
        arrays[output.name] = np.array(values, np.float32).reshape(tuple(output.shape))
    return arrays


@contextmanager
def serving(checkpoints, **changes):
    """Serve both, and give a client of HTTP and one of gRPC."""
    app = make_service(checkpoints, grpc_port=0, **changes)
    with running(app) as http:
        wait_until(lambda: app.state.server.grpc_server is not None)
        host = "[::1]" if changes.get("host") == "::1" else "127.0.0.1"
        call = GrpcClient(app.state.server.grpc_server.port, host)
        yield http, call
        call.close()
