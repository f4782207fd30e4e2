"""Parses a request to a model: framework, response format, options and arrays. Computes nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Generic, Literal, TypeVar

from jaxtyping import Float32
from numpy import ndarray
from starlette.datastructures import QueryParams

from app.api.offload import run_maybe_in_thread, should_offload
from app.api.query_options import add_body_options, read_query, read_query_options, validate
from app.api.request_context import RequestContext
from app.api.schemas.model_options import ResponseOptions
from app.api.schemas.requests import ImageOptions, Options
from app.codecs.content_negotiation import OutputFormat, negotiate
from app.codecs.error_messages import invalid_value, join_with_or, truncated
from app.codecs.limits import Limits
from app.codecs.payload import Payload, has_files, parse_payload
from app.codecs.payload_arrays import ends_from, images_from
from app.inference.models.state import LoadedModel, ModelChoice
from training.config import ModelConfig

T = TypeVar("T")
OptionsT = TypeVar("OptionsT", bound=Options)
ImageOptionsT = TypeVar("ImageOptionsT", bound=ImageOptions)

_LONGEST_CACHED_QUERY: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceRequest(Generic[OptionsT]):
    """A request to a model, checked."""

    choice: ModelChoice
    options: OptionsT
    format: OutputFormat
    output: str | None
    """Name of the array that an npy response holds; None for the first."""

    outputs: tuple[str, ...]
    """Names of the arrays that the response holds."""

    scale: int
    """Factor by which a PNG is enlarged: a pixel becomes a square of this side."""


def parse_query(context: RequestContext, options_type: type[OptionsT]) -> InferenceRequest[OptionsT]:
    """Parse query and headers; a body may add options.

    Raises:
        InvalidValueError: A parameter is wrong.
        NotAcceptableError: The client accepts no format of this route.
    """
    query, accept = context.scope["query_string"], context.headers_by_name.get(b"accept")
    return parse_options(options_type, query, accept=accept, limits=context.services.limits)


def parse_options(
    options_type: type[OptionsT], query: bytes, *, accept: bytes | None, limits: Limits
) -> InferenceRequest[OptionsT]:
    """Parse a query and an Accept header; errors are those of `parse_query`."""
    parse = _parse_options if len(query) <= _LONGEST_CACHED_QUERY else _parse_options.__wrapped__
    request: InferenceRequest[OptionsT] = parse(options_type, query, accept, limits)
    return request


async def read_inputs(
    context: RequestContext,
    request: InferenceRequest[OptionsT],
    model: LoadedModel,
    parse: Callable[[InferenceRequest[OptionsT], Payload, ModelConfig, Limits], T],
    *,
    field: str,
) -> tuple[InferenceRequest[OptionsT], T]:
    """Return the request with the options of its body, and its inputs, parsed from the body: in a thread if large."""
    limits, config = context.services.limits, model.adapter.model
    body = await context.read_body()
    content_type = context.header(b"content-type")
    is_large = should_offload(len(body), is_npy=content_type == OutputFormat.NPY.media_type)
    parsing = parse_payload(body, content_type=content_type, field=field, model=config, limits=limits)
    # In a thread with another event loop, so that this one serves other requests meanwhile.
    payload = await (asyncio.to_thread(asyncio.run, parsing) if is_large else parsing)
    request = add_options(request, payload, limits=limits)
    in_thread = is_large or has_files(payload)
    return request, await run_maybe_in_thread(lambda: parse(request, payload, config, limits), in_thread=in_thread)


def parse_images(
    request: InferenceRequest[ImageOptionsT], payload: Payload, model: ModelConfig, limits: Limits
) -> Float32[ndarray, "batch pixels"]:
    """Return the images of a body, of the model's shape."""
    options = request.options
    return images_from(payload, model=model, limits=limits, invert=options.invert, centre=options.centre)


def parse_ends(
    request: InferenceRequest[ImageOptionsT], payload: Payload, model: ModelConfig, limits: Limits
) -> tuple[Literal["images", "latents"], Float32[ndarray, "2 values"]]:
    """Return whether a body holds two images or two latents, and the two."""
    options = request.options
    return ends_from(payload, model=model, limits=limits, invert=options.invert, centre=options.centre)


def add_options(request: InferenceRequest[OptionsT], payload: Payload, *, limits: Limits) -> InferenceRequest[OptionsT]:
    """Return the request with the options of its body; its options are then complete.

    Raises:
        InvalidValueError: An option is wrong, unknown or different in the query; or `output` names no array.
    """
    if payload.options:
        options = add_body_options(request.options, payload.options, limits=limits)
        request = replace(
            request,
            options=options,
            outputs=_outputs(options, request.format, request.output),
            scale=getattr(options, "scale", 1),
        )
    validate_output(request, scale_source="body" if "scale" in payload.options else "query")
    return request


def validate_output(request: InferenceRequest[OptionsT], *, scale_source: Literal["query", "body"] = "query") -> None:
    """Raise an `InvalidValueError` if `output` names no array of the response, or `scale` is given without a PNG."""
    if request.scale > 1 and request.format is not OutputFormat.PNG:
        raise invalid_value(f"{scale_source}.scale", "enlarges a PNG: add format=png, or leave it out")
    output = request.output
    if output is None:
        return
    if request.format is not OutputFormat.NPY:
        raise invalid_value("query.output", "picks the array of an npy response: add format=npy, or leave it out")
    if output not in request.options.outputs:
        needed = request.options.optional_outputs.get(output)
        others = join_with_or(list(request.options.outputs))
        advice = f"expected {others}" if needed is None else f"add {needed}, or choose {others}"
        raise invalid_value("query.output", f"is {truncated(output)}: {advice}")


# Most clients repeat their options, and pydantic takes longer than a model.
@lru_cache(maxsize=1024)
def _parse_options(
    options_type: type[OptionsT], query: bytes, accept: bytes | None, limits: Limits
) -> InferenceRequest[OptionsT]:
    known = [*options_type.response_options, *options_type.model_fields]
    values = read_query(QueryParams(query), known=known)
    own = {name: text for name, text in values.items() if name in options_type.response_options}
    response = validate(ResponseOptions, own, source="query")
    others = {name: text for name, text in values.items() if name not in own}
    options = read_query_options(options_type, others, limits=limits)
    available = [output for output in OutputFormat if output in options.formats]
    output_format = negotiate(
        accept=None if accept is None else accept.decode("latin-1"), format=response.format, available=available
    )
    return InferenceRequest(
        choice=ModelChoice(response.framework, response.model, response.weights, response.epoch),
        options=options,
        format=output_format,
        output=response.output,
        outputs=_outputs(options, output_format, response.output),
        scale=getattr(options, "scale", 1),
    )


def _outputs(options: Options, output_format: OutputFormat, output: str | None) -> tuple[str, ...]:
    return options.outputs if output_format is OutputFormat.JSON else (output or options.outputs[0],)
