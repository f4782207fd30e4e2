"""Reads a request to a model: who is to answer and how, with which options, on which arrays. Computes nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Generic, ParamSpec, TypeVar

from fastapi import Request
from jaxtyping import Float32
from numpy import ndarray

from app.codecs.body import read_body
from app.codecs.media_types import OutputFormat, negotiate
from app.codecs.payload import JsonValue, Payload, images_from, latents_from, parse_payload
from app.codecs.wording import glimpse, join, wrong_value
from app.dependencies import get_limits, get_registry
from app.inference.registry import LoadedModel
from app.options import add_body_options, read_query, read_query_options, validate
from app.schemas import AnswerOptions, ImageOptions, Options

P = ParamSpec("P")
T = TypeVar("T")
OptionsT = TypeVar("OptionsT", bound=Options)
ImageOptionsT = TypeVar("ImageOptionsT", bound=ImageOptions)

INLINE_BYTES: Final = 64 * 1024
"""What is longer is parsed or written in a thread; for less, handing it over would take longer than doing it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[OptionsT]):
    """A request to a model, checked."""

    model: LoadedModel
    options: OptionsT
    format: OutputFormat
    output: str | None
    """Name of the array that a npy answer holds; None for the first."""


async def read_call(request: Request, options_type: type[OptionsT]) -> Call[OptionsT]:
    """Return the call of a request without a body."""
    return _check_output(await _read_query(request, options_type))


async def read_images(
    request: Request, options_type: type[ImageOptionsT]
) -> tuple[Call[ImageOptionsT], Float32[ndarray, "batch pixels"]]:
    """Return the call, and the images in the body."""
    call = await _read_query(request, options_type)
    body = await _read_body(request)
    payload = await _parse(request, body, field="images")
    call = _check_output(replace(call, options=add_body_options(call.options, payload.options)))
    # A picture can be a thousand times as large as its file.
    size = INLINE_BYTES + 1 if _has_pictures(payload) else len(body)
    images = await run_by_size(
        size,
        images_from,
        payload,
        model=call.model.adapter.model,
        limits=await get_limits(request),
        invert=call.options.invert,
    )
    return call, images


async def read_latents(
    request: Request, options_type: type[OptionsT]
) -> tuple[Call[OptionsT], Float32[ndarray, "batch latent"]]:
    """Return the call, and the latents in the body."""
    call = await _read_query(request, options_type)
    body = await _read_body(request)
    payload = await _parse(request, body, field="latents")
    call = _check_output(replace(call, options=add_body_options(call.options, payload.options)))
    limits = await get_limits(request)
    latents = await run_by_size(len(body), latents_from, payload, model=call.model.adapter.model, limits=limits)
    return call, latents


async def run_by_size(size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call the function: here, or in a thread if the bytes it works on are many."""
    if size > INLINE_BYTES:
        return await asyncio.to_thread(function, *args, **kwargs)
    return function(*args, **kwargs)


async def _read_query(request: Request, options_type: type[OptionsT]) -> Call[OptionsT]:
    query = read_query(request.query_params, known=[*AnswerOptions.model_fields, *options_type.model_fields])
    own = {name: text for name, text in query.items() if name in AnswerOptions.model_fields}
    answer = validate(AnswerOptions, own, source="query")
    limits = await get_limits(request)
    others = {name: text for name, text in query.items() if name not in own}
    options = read_query_options(options_type, others, max_images=limits.max_images)
    available = [output for output in OutputFormat if output is not OutputFormat.PNG or "probs" in options.outputs]
    output_format = negotiate(accept=request.headers.get("Accept"), format=answer.format, available=available)
    model = (await get_registry(request)).get(answer.framework)
    return Call(model=model, options=options, format=output_format, output=answer.output)


def _check_output(call: Call[OptionsT]) -> Call[OptionsT]:
    if call.output is None:
        return call
    if call.format is not OutputFormat.NPY:
        raise wrong_value("query.output", "picks the array of a npy answer: add format=npy, or leave it out")
    if call.output not in call.options.outputs:
        raise wrong_value("query.output", f"is {glimpse(call.output)}: expected {join(list(call.options.outputs))}")
    return call


async def _read_body(request: Request) -> bytes:
    return await read_body(
        request.stream(),
        # Several headers of a name are one list, which neither of these may be.
        content_length=", ".join(request.headers.getlist("Content-Length")) or None,
        content_encoding=", ".join(request.headers.getlist("Content-Encoding")) or None,
        limits=await get_limits(request),
    )


async def _parse(request: Request, body: bytes, *, field: str) -> Payload:
    content_type = request.headers.get("Content-Type")
    parsing = parse_payload(body, content_type=content_type, field=field, limits=await get_limits(request))
    if len(body) > INLINE_BYTES:
        # A loop of its own, in a thread: this one serves the others meanwhile.
        return await asyncio.to_thread(asyncio.run, parsing)
    return await parsing


def _has_pictures(payload: Payload) -> bool:
    value = payload.value
    if not isinstance(value, JsonValue):
        return isinstance(value, tuple)
    items = value.value if isinstance(value.value, list) else [value.value]
    return any(isinstance(item, str) for item in items)
