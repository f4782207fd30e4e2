"""Renders arrays as a response: JSON, PNG or npy, with the headers of their model. Computes nothing."""

import time
from typing import Final
from weakref import WeakKeyDictionary

from fastapi import Response
from starlette.types import Receive, Scope, Send

from app.api.offload import INLINE_BYTES
from app.api.request_parsing import InferenceRequest, OptionsT
from app.codecs.content_negotiation import OutputFormat
from app.codecs.image_files import dump_png
from app.codecs.json_arrays import dump_object
from app.codecs.limits import Limits
from app.codecs.npy import dump_npy
from app.errors import TooLargeError
from app.inference.models.state import LoadedModel
from app.inference.operations import NamedArrays
from app.observability.timings import Timings

Headers = list[tuple[bytes, bytes]]

_MEDIA_TYPES: Final = {output: output.media_type.encode() for output in OutputFormat}

_JSON_EXPANSION: Final = 4
"""Maximum bytes of JSON per byte of float32: 15 characters of a number and a comma, for four bytes."""

_model_headers: WeakKeyDictionary[LoadedModel, Headers] = WeakKeyDictionary()


class RawResponse(Response):
    """A response whose body and headers are complete."""

    def __init__(self, content: bytes, headers: Headers) -> None:
        self.status_code = 200
        self.body = content
        self.raw_headers = headers
        self.background = None

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the response."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        is_large = len(self.body) > INLINE_BYTES
        await send({"type": "http.response.body", "body": self.body, "more_body": is_large})
        if is_large:
            # The server sends this once the client has read most of it; until then its memory stays reserved.
            await send({"type": "http.response.body", "body": b""})


def estimate_size(output_format: OutputFormat, nbytes: int, *, scale: int = 1) -> int:
    """Return the maximum bytes of a response with so many bytes of arrays, without names and provenance."""
    if output_format is OutputFormat.JSON:
        return nbytes * _JSON_EXPANSION
    return nbytes * scale**2


def check_png_size(arrays: NamedArrays, *, scale: int, limits: Limits) -> None:
    """Raise a `TooLargeError` if an enlarged PNG would have more pixels than image files may have."""
    if scale > 1 and arrays["probs"].size * scale**2 > limits.max_pixels:
        raise TooLargeError(
            f"the PNG would have over {limits.max_pixels} pixels: lower scale, or request fewer images at a time"
        )


def render(
    request: InferenceRequest[OptionsT], model: LoadedModel, seed: int | None, arrays: NamedArrays, timings: Timings
) -> RawResponse:
    """Return the response with a request's arrays, its model and its seed, and complete its timings."""
    headers = [*_provenance_headers(model), (b"content-type", _MEDIA_TYPES[request.format])]
    if request.format is OutputFormat.NPY:
        content = dump_npy(arrays[request.outputs[0]])
    elif request.format is OutputFormat.PNG:
        content = dump_png(arrays[request.outputs[0]], scale=request.scale)
    else:
        content = dump_object({**{name: arrays[name] for name in request.outputs}, **model.provenance, "seed": seed})
    timings.total_s = time.perf_counter() - timings.arrived
    headers += [
        (b"content-length", b"%d" % len(content)),
        (b"server-timing", timings.server_timing),
        (b"vary", b"Accept"),
    ]
    if seed is not None:
        headers.append((b"x-triptych-seed", b"%d" % seed))
    return RawResponse(content, headers)


def build_json_response(content: bytes, *, total_s: float) -> RawResponse:
    """Return a JSON response of no single model."""
    headers = [
        (b"content-type", _MEDIA_TYPES[OutputFormat.JSON]),
        (b"content-length", b"%d" % len(content)),
        (b"server-timing", b"total;dur=%.3f" % (total_s * 1e3)),
    ]
    return RawResponse(content, headers)


def _provenance_headers(model: LoadedModel) -> Headers:
    headers = _model_headers.get(model)
    if headers is None:
        headers = [
            (f"x-triptych-{name.replace('_', '-')}".encode(), str(value).encode())
            for name, value in model.provenance.items()
            if value is not None
        ]
        _model_headers[model] = headers
    return headers
