"""Infer messages of gRPC to checked requests, and arrays to responses: raw or typed contents. Computes nothing."""

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.message import DecodeError
from numpy import ndarray

from app.codecs.error_messages import invalid_value
from app.errors import MalformedBodyError
from app.open_inference.grpc_server.definition import ModelInferResponse, message_class
from app.open_inference.messages.request_head import Target, read_head
from app.open_inference.messages.requests import InferRequest, add_contents
from app.open_inference.messages.tensors import as_wire
from app.open_inference.signatures import VERSION

# Message classes are made from a definition at run time, and have no type that a checker knows.
Message = Any

_CONTENTS = {"FP32": "fp32_contents", "INT32": "int_contents"}

_FIELDS = {datatype: f"contents.{field}" for datatype, field in _CONTENTS.items()}


def parse_message(name: str, content: bytes) -> Message:
    """Return the request message of a call.

    Raises:
        MalformedBodyError: The bytes aren't one.
    """
    try:
        return message_class(f"{name}Request").FromString(content)
    except DecodeError as error:
        raise MalformedBodyError(f"the message can't be parsed: send a {name}Request of the protocol") from error


def read_request(message: Message, target: Target) -> InferRequest:
    """Return the request of a `ModelInferRequest`; its outputs are binary where they are to be raw.

    Raises:
        InvalidValueError: A member, tensor or parameter is wrong.
        TooLargeError: The batch is over the limit.
    """
    raw = list(message.raw_input_contents)
    if raw and len(raw) != len(message.inputs):
        raise invalid_value(
            "raw_input_contents", f"has the length {len(raw)}: expected {len(message.inputs)}, one for each input"
        )
    contents: list[bytes | None] = [*raw] if raw else [None] * len(message.inputs)
    inputs = [
        _read_input(tensor, content, where=f"inputs[{index}]")
        for index, (tensor, content) in enumerate(zip(message.inputs, contents, strict=True))
    ]
    parameters = _read_parameters(message.parameters)
    members = {
        "id": message.id or None,
        "parameters": parameters | ({"binary_data_output": True} if raw else {}),
        "inputs": inputs,
        "outputs": [{"name": o.name, "parameters": _read_parameters(o.parameters)} for o in message.outputs],
    }
    head = read_head(members, target)
    if not raw:
        _check_contents(message.inputs)
    return add_contents(head, memoryview(b"".join(raw)), target, may_be_boolean=False, fields=_FIELDS)


def write_response(
    request: InferRequest, target: Target, arrays: Mapping[str, ndarray], parameters: Mapping[str, object]
) -> Message:
    """Return a `ModelInferResponse`; contents are never mixed, and all raw where one is to be."""
    response = ModelInferResponse(model_name=target.name, model_version=VERSION, id=request.id or "")
    for name, value in parameters.items():
        if isinstance(value, int):
            response.parameters[name].int64_param = value
        else:
            response.parameters[name].string_param = str(value)
    specs = {spec.name: spec for spec in target.signature.outputs}
    is_raw = any(output.is_binary for output in request.outputs)
    for name, _ in request.outputs:
        array = as_wire(specs[name], arrays[name])
        tensor = response.outputs.add(name=name, datatype=specs[name].datatype, shape=array.shape)
        if is_raw:
            response.raw_output_contents.append(array.tobytes())
        else:
            tensor.contents.fp32_contents.extend(array.ravel().tolist())
    return response


def _read_input(tensor: Message, content: bytes | None, *, where: str) -> dict[str, object]:
    """Return an input's members as they are in JSON."""
    parameters = _read_parameters(tensor.parameters)
    members = {"name": tensor.name, "shape": list(tensor.shape), "datatype": tensor.datatype, "parameters": parameters}
    if content is None:
        field = _CONTENTS.get(tensor.datatype)
        return members | {"data": list(getattr(tensor.contents, field)) if field else []}
    if tensor.HasField("contents"):
        raise invalid_value(f"{where}.contents", "is there beside raw_input_contents: send one of them")
    parameters["binary_data_size"] = len(content)
    return members


def _check_contents(tensors: Iterable[Message]) -> None:
    """Raise an `InvalidValueError` if an input has other contents than those of its datatype, which is one of ours."""
    for tensor in tensors:
        expected = _FIELDS[tensor.datatype]
        given = [f"contents.{field.name}" for field, _ in tensor.contents.ListFields()]
        if given != [expected]:
            found = " and ".join(given) or "no contents"
            why = f"has {found}: expected {expected}, as its datatype {tensor.datatype} says, or raw_input_contents"
            raise invalid_value(f"inputs.{tensor.name}", why)


def _read_parameters(parameters: Mapping[str, Message]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, parameter in parameters.items():
        choice = parameter.WhichOneof("parameter_choice")
        # It says how many bytes follow JSON; here nothing follows.
        if name != "binary_data_size":
            values[name] = getattr(parameter, choice) if choice else None
    return values
