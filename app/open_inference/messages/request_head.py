"""The JSON of an infer request, checked: parameters, outputs, and descriptions of inputs. Reads no tensors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from app.codecs.error_messages import invalid_value, truncated
from app.codecs.limits import Limits
from app.open_inference.messages.members import check_supported, find_name, read_flag, read_list, read_object
from app.open_inference.messages.parameters import InferParameters, read_parameters
from app.open_inference.messages.tensors import check_header, count_bytes
from app.open_inference.signatures import Signature, TensorSpec
from training.config import ModelConfig
from training.counts import count_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """The model that a request is for, and the limits that hold for it; compared by identity."""

    name: str
    """Name of the model, as the server lists it."""

    url_name: str
    """Its name in the request's URL, where it may begin with a framework's alias."""

    task: str
    signature: Signature
    model: ModelConfig
    limits: Limits


class RequestedOutput(NamedTuple):
    """An output that a response is to hold."""

    name: str
    is_binary: bool


class DescribedInput(NamedTuple):
    """An input whose description was checked, but not its contents."""

    spec: TensorSpec
    shape: tuple[int, ...]
    nbytes: int | None
    """Length of its contents after the JSON; None if the JSON has them."""

    data: object
    """The contents that the JSON has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHead:
    """The JSON of an infer request, checked against the model's signature."""

    id: str | None
    parameters: InferParameters
    inputs: tuple[DescribedInput, ...]
    outputs: tuple[RequestedOutput, ...]
    """In the order of the response."""

    output_names: frozenset[str]


def read_head(members: Mapping[str, object], target: Target) -> RequestHead:
    """Return the head of a JSON object's members.

    Raises:
        InvalidValueError: A member, tensor or parameter is wrong.
        TooLargeError: The batch is over the limit.
    """
    _check_name(members.get("model_name"), target)
    request_id = members.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise invalid_value("id", "is not a string: expected a string, or leave it out")
    parameters = read_object(members.get("parameters"), "parameters")
    inputs = _read_inputs(read_list(members.get("inputs"), "inputs", is_required=True), target)
    outputs = read_outputs(
        read_list(members.get("outputs"), "outputs"),
        target.signature,
        is_binary_default=read_flag(parameters, "binary_data_output", where="parameters", default=False),
    )
    return RequestHead(
        id=request_id,
        parameters=read_parameters(parameters, task=target.task, limits=target.limits),
        inputs=inputs,
        outputs=outputs,
        output_names=frozenset(output.name for output in outputs),
    )


def read_outputs(
    items: Sequence[object], signature: Signature, *, is_binary_default: bool
) -> tuple[RequestedOutput, ...]:
    """Return the requested outputs; all of them where none is named.

    Raises:
        InvalidValueError: One is unknown, named twice, or requested in a form that isn't supported.
    """
    known = [spec.name for spec in signature.outputs]
    if not items:
        return tuple(RequestedOutput(name, is_binary_default) for name in known)
    outputs: dict[str, RequestedOutput] = {}
    for index, item in enumerate(items):
        where = f"outputs[{index}]"
        output = read_object(item, where)
        name = find_name(output, known, outputs, where=where)
        parameters = read_object(output.get("parameters"), f"{where}.parameters")
        check_supported(parameters, f"{where}.parameters")
        is_binary = read_flag(parameters, "binary_data", where=f"{where}.parameters", default=is_binary_default)
        outputs[name] = RequestedOutput(name, is_binary)
    return tuple(outputs.values())


def _read_inputs(items: Sequence[object], target: Target) -> tuple[DescribedInput, ...]:
    """Return the inputs, all of which are there and have the same batch."""
    specs = {spec.name: spec for spec in target.signature.inputs}
    inputs: dict[str, DescribedInput] = {}
    for index, item in enumerate(items):
        members = read_object(item, f"inputs[{index}]")
        name = find_name(members, list(specs), inputs, where=f"inputs[{index}]")
        inputs[name] = _read_input(specs[name], members, limits=target.limits, where=f"inputs.{name}")
    missing = [name for name in specs if name not in inputs]
    if missing:
        raise invalid_value("inputs", f"lacks {' and '.join(missing)}")
    sizes = {name: described.shape[0] for name, described in inputs.items()}
    if len(set(sizes.values())) > 1:
        listing = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise invalid_value("inputs", f"have unlike batch sizes: {listing}; expected the same")
    return tuple(inputs.values())


def _read_input(spec: TensorSpec, members: Mapping[str, Any], *, limits: Limits, where: str) -> DescribedInput:
    datatype, given_shape = members.get("datatype"), members.get("shape")
    shape = check_header(spec, datatype=datatype, shape=given_shape, limits=limits, where=where)
    parameters = read_object(members.get("parameters"), f"{where}.parameters")
    check_supported(parameters, f"{where}.parameters")
    data, nbytes = members.get("data"), parameters.get("binary_data_size")
    if (data is None) == (nbytes is None):
        found = "neither data nor" if data is None else "both data and"
        raise invalid_value(where, f"has {found} parameters.binary_data_size: expected one of them")
    if nbytes is None:
        return DescribedInput(spec, shape, None, data)
    expected = count_bytes(spec, shape)
    if type(nbytes) is not int:
        raise invalid_value(f"{where}.parameters.binary_data_size", f"is not an integer: expected {expected}")
    if nbytes != expected:
        raise invalid_value(
            where, f"has {count_of(nbytes, 'byte')} in binary: expected {expected}, as shape and datatype say"
        )
    return DescribedInput(spec, shape, nbytes, None)


def _check_name(name: object, target: Target) -> None:
    if name is not None and name not in (target.name, target.url_name):
        found = truncated(name) if isinstance(name, str) else "not a string"
        raise invalid_value("model_name", f"is {found}: expected '{target.url_name}', as the URL says, or leave it out")
