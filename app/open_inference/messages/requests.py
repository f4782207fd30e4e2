"""An infer request from its bytes: JSON, followed by the tensors that are sent in binary. Computes nothing."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from numpy import ndarray

from app.codecs.body import Body
from app.codecs.error_messages import invalid_value, truncated
from app.codecs.json_arrays import may_hold_booleans, parse_object
from app.errors import InvalidValueError, MalformedBodyError
from app.open_inference.messages.parameters import InferParameters
from app.open_inference.messages.request_head import RequestedOutput, RequestHead, Target, read_head, read_outputs
from app.open_inference.messages.tensors import DTYPES, check_values, infer_raw_shape, read_bytes, read_json
from training.counts import count_of

LENGTH_HEADER: Final = "Inference-Header-Content-Length"

_LONGEST_LENGTH: Final = 19
"""Digits of a header that can still be a length."""

_LONGEST_CACHED: Final = 1024
"""Bytes of JSON up to which its head is kept: clients repeat it, but for the tensors that follow."""

_FIELDS: Final[Mapping[str, str]] = dict.fromkeys(DTYPES, "data")
"""The field of an input's numbers in JSON, by datatype."""


class InferRequest(NamedTuple):
    """An infer request, checked against the model's signature."""

    id: str | None
    parameters: InferParameters
    inputs: Mapping[str, ndarray]
    """As the model takes them, by name."""

    outputs: tuple[RequestedOutput, ...]
    """In the order of the response."""

    output_names: frozenset[str]


def parse_request(body: Body, *, header_length: str | None, target: Target) -> InferRequest:
    """Return the infer request of a body; `header_length` is the header that says how much of it is JSON.

    Raises:
        MalformedBodyError: The header is wrong, or the JSON isn't JSON.
        InvalidValueError: A member, tensor or parameter is wrong.
        TooLargeError: The batch is over the limit.
    """
    if header_length is None:
        try:
            members = parse_object(body)
        except MalformedBodyError as error:
            hint = f"; if tensors in binary follow the JSON, send {LENGTH_HEADER}, the length of the JSON in bytes"
            raise MalformedBodyError(f"{error}{hint if body else ''}") from error
        head = read_head(members, target)
        return add_contents(head, memoryview(b""), target, may_be_boolean=may_hold_booleans(body))
    length = _parse_length(header_length, len(body))
    if length == 0:
        return _parse_raw(body, target)
    text = bytes(body[:length])
    read = _read_text if length <= _LONGEST_CACHED else _read_text.__wrapped__
    try:
        head, may_be_boolean = read(text, target)
    except MalformedBodyError as error:
        raise MalformedBodyError(
            f"{error}; {LENGTH_HEADER} says that the JSON is the first {length} "
            f"of the body's {count_of(len(body), 'byte')}"
        ) from error
    return add_contents(head, memoryview(body)[length:], target, may_be_boolean=may_be_boolean)


def add_contents(
    head: RequestHead,
    binary: memoryview,
    target: Target,
    *,
    may_be_boolean: bool,
    fields: Mapping[str, str] = _FIELDS,
) -> InferRequest:
    """Return the request of a head, and of the bytes that its binary inputs take in turn.

    `fields` names the field of an input's numbers by datatype, for messages.

    Raises:
        InvalidValueError: A value is wrong, or there are too few or too many bytes.
        TooLargeError: A count is over the limit.
    """
    inputs = {}
    position = 0
    for spec, shape, nbytes, data in head.inputs:
        where = f"inputs.{spec.name}"
        if nbytes is None:
            field = f"{where}.{fields[spec.datatype]}"
            array = read_json(spec, shape, data, where=field, may_be_boolean=may_be_boolean)
        else:
            start, position = position, position + nbytes
            if position > len(binary):
                raise invalid_value(
                    where,
                    f"has {count_of(len(binary) - start, 'byte')} left in the body: expected {nbytes} after the JSON",
                )
            # A copy, which is aligned, unlike what follows JSON of any length.
            array = read_bytes(spec, shape, bytes(binary[start:position]))
        inputs[spec.name] = check_values(spec, array, model=target.model, limits=target.limits, where=where)
    if position < len(binary):
        raise invalid_value(
            "body", f"has {count_of(len(binary) - position, 'byte')} after its last tensor: each input names its bytes"
        )
    return InferRequest(head.id, head.parameters, inputs, head.outputs, head.output_names)


@lru_cache(maxsize=256)
def _read_text(text: bytes, target: Target) -> tuple[RequestHead, bool]:
    """Return the head of JSON, and whether that may have booleans."""
    return read_head(parse_object(text), target), may_hold_booleans(text)


def _parse_length(header: str, body_length: int) -> int:
    """Return the length of the JSON."""
    if not (header.isascii() and header.isdecimal() and len(header) <= _LONGEST_LENGTH):
        raise MalformedBodyError(
            f"{LENGTH_HEADER} is {truncated(header)}: expected the length of the JSON in bytes, a whole number"
        )
    if (length := int(header)) > body_length:
        raise MalformedBodyError(f"{LENGTH_HEADER} is {length}: expected at most {body_length}, the body's length")
    return length


def _parse_raw(body: Body, target: Target) -> InferRequest:
    """Return the request whose body is nothing but its only input's bytes; all outputs are to be binary."""
    specs = target.signature.inputs
    if len(specs) != 1:
        listed = " and ".join(spec.name for spec in specs)
        raise InvalidValueError(
            f"{LENGTH_HEADER} is 0, and {target.name} has several inputs, {listed}: send JSON first"
        )
    (spec,) = specs
    shape = infer_raw_shape(spec, len(body), limits=target.limits)
    array = read_bytes(spec, shape, bytes(body))
    checked = check_values(spec, array, model=target.model, limits=target.limits, where=f"inputs.{spec.name}")
    outputs = read_outputs([], target.signature, is_binary_default=True)
    names = frozenset(output.name for output in outputs)
    return InferRequest(None, InferParameters(), {spec.name: checked}, outputs, names)
