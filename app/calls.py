"""Reads what a request asks a model for: who is to answer and how, with which options, on which arrays."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final, Generic, Literal, TypeVar

from jaxtyping import Float32
from numpy import ndarray
from starlette.datastructures import QueryParams

from app.codecs.limits import Limits
from app.codecs.media_types import OutputFormat, negotiate
from app.codecs.payload import Payload, ends_from, has_files, images_from, latents_from, parse_payload
from app.codecs.wording import glimpse, join, wrong_value
from app.exchange import Exchange
from app.inference.states import LoadedModel
from app.options import add_body_options, read_query, read_query_options, validate
from app.schemas import AnswerOptions, ImageOptions, Options
from training.config import ModelConfig

T = TypeVar("T")
OptionsT = TypeVar("OptionsT", bound=Options)
ImageOptionsT = TypeVar("ImageOptionsT", bound=ImageOptions)

INLINE_BYTES: Final = 64 * 1024
"""What is longer is parsed or written in a thread; for less, handing it over would take longer than doing it."""

INLINE_NPY_BYTES: Final = 4 * 2**20
"""The same of npy, whose numbers are not parsed: more than 1,024 images of MNIST in float32."""

_LONGEST_CACHED_QUERY: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[OptionsT]):
    """What a request asks for, checked."""

    framework: str | None
    """Canonical name; None for the default."""

    options: OptionsT
    format: OutputFormat
    output: str | None
    """Name of the array that a npy answer holds; None for the first."""

    outputs: tuple[str, ...]
    """Names of the arrays that the answer holds."""


ItemsOf = Callable[[Payload, Call[OptionsT], ModelConfig, Limits], ndarray]
"""What makes images or latents of a body."""


def read_call(exchange: Exchange, options_type: type[OptionsT]) -> Call[OptionsT]:
    """Return what the query and the headers ask for; a body may add to that.

    Raises:
        InvalidValueError: A parameter is wrong.
        NotAcceptableError: Nothing that is accepted can be answered.
    """
    query, accept = exchange.scope["query_string"], exchange.fields.get(b"accept")
    return parse_call(options_type, query, accept=accept, limits=exchange.service.limits)


def parse_call(options_type: type[OptionsT], query: bytes, *, accept: bytes | None, limits: Limits) -> Call[OptionsT]:
    """Return what a query and an Accept header ask for; errors are those of `read_call`."""
    parse = _parse_query if len(query) <= _LONGEST_CACHED_QUERY else _parse_query.__wrapped__
    call: Call[OptionsT] = parse(options_type, query, accept, limits)
    return call


def choose_model(exchange: Exchange, call: Call[OptionsT]) -> LoadedModel:
    """Return the model that is to answer, if it has room for one more request.

    Raises:
        FrameworkUnavailableError: The framework isn't ready.
        OverloadedError: Its queue is full.
    """
    registry = exchange.service.registry
    # What the metrics count the answer under, whatever it will be.
    exchange.scope["state"]["framework"] = call.framework or registry.default
    model = registry.get(call.framework)
    model.batcher.check_room()
    return model


async def read_images(
    exchange: Exchange, call: Call[ImageOptionsT], model: LoadedModel
) -> tuple[Call[ImageOptionsT], Float32[ndarray, "batch pixels"]]:
    """Return the call with what the body adds, and the images in it, of the shape that the model takes."""
    return await read_items(exchange, call, model, field="images", items_of=images_of)


async def read_items(
    exchange: Exchange, call: Call[OptionsT], model: LoadedModel, *, field: str, items_of: ItemsOf[OptionsT]
) -> tuple[Call[OptionsT], Float32[ndarray, "batch values"]]:
    """Return the call with what the body adds, and what is in it under the field."""
    call, payload, is_long = await _read_payload(exchange, call, model, field=field)
    work = partial(items_of, payload, call, model.adapter.model, exchange.service.limits)
    items = await run_work(work, is_long=is_long)
    return call, items


def images_of(
    payload: Payload, call: Call[ImageOptionsT], model: ModelConfig, limits: Limits
) -> Float32[ndarray, "batch pixels"]:
    """Return the images of a body, of the shape that the model takes."""
    return images_from(payload, model=model, limits=limits, invert=call.options.invert)


def latents_of(
    payload: Payload, _call: Call[OptionsT], model: ModelConfig, limits: Limits
) -> Float32[ndarray, "batch latent"]:
    """Return the latents of a body, of the length that the model takes."""
    return latents_from(payload, model=model, limits=limits)


def add_options(call: Call[OptionsT], payload: Payload, *, limits: Limits) -> Call[OptionsT]:
    """Return the call with the options that stand in the body.

    Raises:
        InvalidValueError: One is wrong or unknown, or stands in the query too.
    """
    if not payload.options:
        return call
    options = add_body_options(call.options, payload.options, limits=limits)
    return _make_call(options, framework=call.framework, output_format=call.format, output=call.output)


async def read_ends(
    exchange: Exchange, call: Call[ImageOptionsT], model: LoadedModel
) -> tuple[Call[ImageOptionsT], Literal["images", "latents"], Float32[ndarray, "2 values"]]:
    """Return the call with what the body adds, and the two images or latents in it."""
    call, payload, is_long = await _read_payload(exchange, call, model, field="ends")
    limits, invert = exchange.service.limits, call.options.invert
    work = partial(ends_from, payload, model=model.adapter.model, limits=limits, invert=invert)
    kind, ends = await run_work(work, is_long=is_long)
    return call, kind, ends


def check_output(call: Call[OptionsT]) -> None:
    """Raise an `InvalidValueError` unless the answer can be just the array that is asked for, if one is."""
    output = call.output
    if output is None:
        return
    if call.format is not OutputFormat.NPY:
        raise wrong_value("query.output", "picks the array of a npy answer: add format=npy, or leave it out")
    if output not in call.options.outputs:
        raise wrong_value("query.output", f"is {glimpse(output)}: expected {join(list(call.options.outputs))}")


def takes_long(nbytes: int, *, is_npy: bool = False) -> bool:
    """Tell whether so many bytes are parsed or written in a thread."""
    return nbytes > (INLINE_NPY_BYTES if is_npy else INLINE_BYTES)


async def run_work(work: Callable[[], T], *, is_long: bool) -> T:
    """Return what the work comes to: in a thread if it takes long, or else here."""
    return await asyncio.to_thread(work) if is_long else work()


# Most clients ask the same again and again, and pydantic takes longer than a model.
@lru_cache(maxsize=1024)
def _parse_query(options_type: type[OptionsT], query: bytes, accept: bytes | None, limits: Limits) -> Call[OptionsT]:
    known = [*options_type.answer_options, *options_type.model_fields]
    values = read_query(QueryParams(query), known=known)
    own = {name: text for name, text in values.items() if name in options_type.answer_options}
    answer = validate(AnswerOptions, own, source="query")
    others = {name: text for name, text in values.items() if name not in own}
    options = read_query_options(options_type, others, limits=limits)
    available = [output for output in OutputFormat if output in options.formats]
    output_format = negotiate(
        accept=None if accept is None else accept.decode("latin-1"), format=answer.format, available=available
    )
    return _make_call(options, framework=answer.framework, output_format=output_format, output=answer.output)


def _make_call(
    options: OptionsT, *, framework: str | None, output_format: OutputFormat, output: str | None
) -> Call[OptionsT]:
    is_json = output_format is OutputFormat.JSON
    outputs = options.outputs if is_json else (output or options.outputs[0],)
    return Call(framework=framework, options=options, format=output_format, output=output, outputs=outputs)


async def _read_payload(
    exchange: Exchange, call: Call[OptionsT], model: LoadedModel, *, field: str
) -> tuple[Call[OptionsT], Payload, bool]:
    """Return the call with the options of the body, the parsed body, and whether to make arrays of it takes long."""
    limits = exchange.service.limits
    body = await exchange.read_body()
    content_type = exchange.field(b"content-type")
    is_long = takes_long(len(body), is_npy=content_type == OutputFormat.NPY.media_type)
    parsing = parse_payload(
        body,
        content_type=content_type,
        field=field,
        model=model.adapter.model,
        limits=limits,
    )
    if is_long:
        # A loop of its own, in a thread: this one serves the others meanwhile.
        payload = await asyncio.to_thread(asyncio.run, parsing)
    else:
        payload = await parsing
    return add_options(call, payload, limits=limits), payload, is_long or has_files(payload)
