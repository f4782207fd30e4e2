"""An infer response as bytes: JSON, followed by the tensors that are requested in binary. Computes nothing."""

import zlib
from collections.abc import Mapping

from numpy import ndarray

from app.codecs.json_arrays import dump_object
from app.open_inference.messages.request_head import Target
from app.open_inference.messages.requests import InferRequest
from app.open_inference.messages.tensors import as_wire, check_json_output
from app.open_inference.signatures import VERSION


def dump_response(
    request: InferRequest, target: Target, arrays: Mapping[str, ndarray], parameters: Mapping[str, object]
) -> tuple[bytes, int | None]:
    """Return a response's body, and the length of its JSON where tensors in binary follow it.

    Raises:
        InvalidValueError: An output that is requested in JSON isn't finite.
    """
    specs = {spec.name: spec for spec in target.signature.outputs}
    outputs = []
    contents: list[memoryview] = []
    for output, is_binary in request.outputs:
        spec = specs[output]
        array = as_wire(spec, arrays[output])
        entry: dict[str, object] = {"name": output, "shape": array.shape, "datatype": spec.datatype}
        if is_binary:
            entry["parameters"] = {"binary_data_size": array.nbytes}
            contents.append(array.data)
        else:
            check_json_output(spec, array)
            entry["data"] = array.reshape(-1)
        outputs.append(entry)
    members: dict[str, object] = {"model_name": target.name, "model_version": VERSION}
    if request.id is not None:
        members["id"] = request.id
    text = dump_object({**members, "parameters": parameters, "outputs": outputs})
    return (b"".join([text, *contents]), len(text)) if contents else (text, None)


def choose_coding(accept_encoding: str | None) -> str | None:
    """Return the content coding of a response, if the client accepts exactly one, gzip or deflate.

    Triton's asyncio client always lists several; a single one is an explicit request.
    """
    coding = (accept_encoding or "").strip().lower()
    return coding if coding in {"gzip", "deflate"} else None


def compress(content: bytes, coding: str) -> bytes:
    """Return the content in gzip, or in deflate, which is zlib's format (RFC 9110, section 8.4.1.2)."""
    # Floats compress little, and at higher levels no better.
    window = 16 + zlib.MAX_WBITS if coding == "gzip" else zlib.MAX_WBITS
    compressor = zlib.compressobj(1, wbits=window)
    return compressor.compress(content) + compressor.flush()
