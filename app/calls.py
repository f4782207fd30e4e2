"""Reads a request to a model: who is to answer and how, with which options, on which arrays. Computes nothing."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Generic, Literal, ParamSpec, TypeVar

from fastapi import Request
from jaxtyping import Float32
from numpy import ndarray
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.types import Message

from app.codecs.body import read_body
from app.codecs.limits import Limits
from app.codecs.media_types import OutputFormat, negotiate
from app.codecs.payload import JsonValue, Payload, ends_from, images_from, latents_from, parse_payload
from app.codecs.wording import glimpse, join, wrong_value
from app.inference.registry import Registry
from app.inference.states import LoadedModel
from app.options import add_body_options, read_query, read_query_options, validate
from app.schemas import AnswerOptions, ImageOptions, Options

P = ParamSpec("P")
T = TypeVar("T")
OptionsT = TypeVar("OptionsT", bound=Options)
ImageOptionsT = TypeVar("ImageOptionsT", bound=ImageOptions)

INLINE_BYTES: Final = 64 * 1024
"""What is longer is parsed or written in a thread; for less, handing it over would take longer than doing it."""

_LONGEST_CACHED_QUERY: Final = 256
_SHORT_LENGTH_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[OptionsT]):
    """What the query and the headers of a request ask for, checked."""

    framework: str | None
    """Canonical name; None for the default."""

    options: OptionsT
    format: OutputFormat
    output: str | None
    """Name of the array that a npy answer holds; None for the first."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the arrays that the answer holds."""
        if self.format is OutputFormat.JSON:
            return self.options.outputs
        return (self.output or self.options.outputs[0],)


def read_call(request: Request, options_type: type[OptionsT]) -> Call[OptionsT]:
    """Return the call of a request without a body."""
    return _check_output(_read_query(request, options_type))


async def read_images(
    request: Request, options_type: type[ImageOptionsT], model: LoadedModel
) -> tuple[Call[ImageOptionsT], Float32[ndarray, "batch pixels"]]:
    """Return the call, and the images in the body, of the shape that the model takes."""
    call, payload, size = await _read_payload(request, _read_query(request, options_type), field="images")
    images = await run_by_size(
        # A picture can be a thousand times as large as its file.
        INLINE_BYTES + 1 if _has_pictures(payload) else size,
        images_from,
        payload,
        model=model.adapter.model,
        limits=request.app.state.limits,
        invert=call.options.invert,
    )
    return call, images


async def read_latents(
    request: Request, options_type: type[OptionsT], model: LoadedModel
) -> tuple[Call[OptionsT], Float32[ndarray, "batch latent"]]:
    """Return the call, and the latents in the body, of the length that the model takes."""
    call, payload, size = await _read_payload(request, _read_query(request, options_type), field="latents")
    limits = request.app.state.limits
    latents = await run_by_size(size, latents_from, payload, model=model.adapter.model, limits=limits)
    return call, latents


async def read_ends(
    request: Request, options_type: type[ImageOptionsT], model: LoadedModel
) -> tuple[Call[ImageOptionsT], Literal["images", "latents"], Float32[ndarray, "2 values"]]:
    """Return the call, and the two images or latents in the body."""
    call, payload, size = await _read_payload(request, _read_query(request, options_type), field="ends")
    kind, ends = await run_by_size(
        INLINE_BYTES + 1 if _has_pictures(payload) else size,
        ends_from,
        payload,
        model=model.adapter.model,
        limits=request.app.state.limits,
        invert=call.options.invert,
    )
    return call, kind, ends


def choose_model(request: Request, options_type: type[Options]) -> LoadedModel:
    """Return the model that a request is for, if it has room for one more.

    Raises:
        InvalidValueError: The query is wrong.
        FrameworkUnavailableError: The framework isn't ready.
        OverloadedError: Its queue is full.
    """
    registry: Registry = request.app.state.registry
    framework = _read_query(request, options_type).framework
    # What the metrics count the answer under, whatever it will be.
    request.scope["state"]["framework"] = framework or registry.default
    model = registry.get(framework)
    model.batcher.check_room()
    return model


async def run_by_size(size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call the function: here, or in a thread if the bytes it works on are many."""
    if size > INLINE_BYTES:
        return await asyncio.to_thread(function, *args, **kwargs)
    return function(*args, **kwargs)


def remaining_s(request: Request) -> float:
    """Return how many seconds are left for the answer.

    Raises:
        InvalidValueError: The client's X-Request-Timeout isn't a number of seconds.
    """
    allowed: float = request.app.state.settings.request_timeout_s or math.inf
    asked = request.headers.get("X-Request-Timeout")
    if asked is not None:
        allowed = min(allowed, _parse_seconds(asked))
    spent: float = time.perf_counter() - request.scope["state"]["arrived"]
    return allowed - spent


def _parse_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        raise wrong_value("header.X-Request-Timeout", f"is {glimpse(text)}: expected a number of seconds above 0")
    return seconds


def _read_query(request: Request, options_type: type[OptionsT]) -> Call[OptionsT]:
    query: bytes = request.scope["query_string"]
    parse = _parse_query if len(query) <= _LONGEST_CACHED_QUERY else _parse_query.__wrapped__
    call: Call[OptionsT] = parse(options_type, query, request.headers.get("Accept"), request.app.state.limits)
    return call


# Most clients ask the same again and again, and pydantic takes longer than a model.
@lru_cache(maxsize=1024)
def _parse_query(options_type: type[OptionsT], query: bytes, accept: str | None, limits: Limits) -> Call[OptionsT]:
    known = [*options_type.answer_options, *options_type.model_fields]
    values = read_query(QueryParams(query), known=known)
    own = {name: text for name, text in values.items() if name in options_type.answer_options}
    answer = validate(AnswerOptions, own, source="query")
    others = {name: text for name, text in values.items() if name not in own}
    options = read_query_options(options_type, others, limits=limits)
    available = [output for output in OutputFormat if output in options.formats]
    return Call(
        framework=answer.framework,
        options=options,
        format=negotiate(accept=accept, format=answer.format, available=available),
        output=answer.output,
    )


async def _read_payload(request: Request, call: Call[OptionsT], *, field: str) -> tuple[Call[OptionsT], Payload, int]:
    """Return the call with the options of the body, the parsed body, and its length in bytes."""
    limits: Limits = request.app.state.limits
    body = await _read_body(request, limits)
    parsing = parse_payload(body, content_type=request.headers.get("Content-Type"), field=field, limits=limits)
    if len(body) > INLINE_BYTES:
        # A loop of its own, in a thread: this one serves the others meanwhile.
        payload = await asyncio.to_thread(asyncio.run, parsing)
    else:
        payload = await parsing
    if payload.options:
        call = replace(call, options=add_body_options(call.options, payload.options, limits=limits))
    return _check_output(call), payload, len(body)


def _check_output(call: Call[OptionsT]) -> Call[OptionsT]:
    if call.output is None:
        return call
    if call.format is not OutputFormat.NPY:
        raise wrong_value("query.output", "picks the array of a npy answer: add format=npy, or leave it out")
    if call.output not in call.options.outputs:
        raise wrong_value("query.output", f"is {glimpse(call.output)}: expected {join(list(call.options.outputs))}")
    return call


async def _read_body(request: Request, limits: Limits) -> bytes:
    headers = request.headers
    # Several headers of a name are one list, which neither of these may be.
    length = ", ".join(headers.getlist("Content-Length")) or None
    encoding = ", ".join(headers.getlist("Content-Encoding")) or None
    first: Message | None = None
    if encoding is None and length is not None and _is_short(length, limits):
        first = await request.receive()
        if first["type"] == "http.request" and not first.get("more_body"):
            body: bytes = first.get("body", b"")
            return body  # whole at once, as most are
    return await read_body(_stream(request, first), content_length=length, content_encoding=encoding, limits=limits)


def _is_short(length: str, limits: Limits) -> bool:
    return len(length) < _SHORT_LENGTH_DIGITS and length.isdecimal() and int(length) <= limits.max_body_bytes


async def _stream(request: Request, first: Message | None) -> AsyncIterator[bytes]:
    message = first or await request.receive()
    while message["type"] == "http.request":
        yield message.get("body", b"")
        if not message.get("more_body"):
            return
        message = await request.receive()
    raise ClientDisconnect


def _has_pictures(payload: Payload) -> bool:
    value = payload.value
    if not isinstance(value, JsonValue):
        return isinstance(value, tuple)
    items = value.value if isinstance(value.value, list) else [value.value]
    return any(isinstance(item, str) for item in items)
