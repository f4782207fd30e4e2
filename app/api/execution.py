"""Runs a request's work on a model until its deadline, and has the result rendered. Parses nothing."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect

from app.api.offload import run_maybe_in_thread, should_offload
from app.api.request_context import RequestContext
from app.api.request_parsing import InferenceRequest, OptionsT
from app.api.response_rendering import RawResponse, build_json_response, check_png_size, estimate_size, render
from app.codecs.content_negotiation import OutputFormat
from app.codecs.json_arrays import dump_object
from app.errors import DeadlinePassedError
from app.inference.models.state import LoadedModel
from app.inference.operations import NamedArrays, Operation
from app.inference.session import ModelSession

T = TypeVar("T")


async def run_operation(
    context: RequestContext, request: InferenceRequest[OptionsT], model: LoadedModel, operation: Operation
) -> RawResponse:
    """Return the response with the operation's result; errors are those of `run_model`."""
    return await run_model(
        context, request, model, lambda session: session.run_operation(operation), seed=operation.seed
    )


async def run_model(
    context: RequestContext,
    request: InferenceRequest[OptionsT],
    model: LoadedModel,
    work: Callable[[ModelSession], Coroutine[Any, Any, NamedArrays]],
    *,
    seed: int | None,
) -> RawResponse:
    """Return the response with the arrays that the work computes; `seed` is None where no noise is drawn.

    Raises:
        DeadlinePassedError: It took too long.
        ClientDisconnect: The client is gone; work that hadn't begun is never computed.
        FrameworkUnavailableError: The framework failed.
        OverloadedError: Its queue is full, or there is no memory for the response.
        TooLargeError: Enlarged, the PNG would have too many pixels.
    """
    session = context.new_session(model)
    framework = model.adapter.framework
    arrays = await run_until_deadline(context, work(session), [framework])
    check_png_size(arrays, scale=request.scale, limits=context.services.limits)
    size = sum([arrays[name].nbytes for name in request.outputs])
    await context.reserve_response(estimate_size(request.format, size, scale=request.scale))
    response = await run_maybe_in_thread(
        partial(render, request, model, seed, arrays, session.timings),
        in_thread=should_offload(size * request.scale**2, is_npy=request.format is OutputFormat.NPY),
    )
    context.shrink_response(len(response.body))
    return response


async def run_until_deadline(context: RequestContext, work: Coroutine[Any, Any, T], frameworks: Sequence[str]) -> T:
    """Return the work's result; cancel it, and count that, at the deadline or when the client disconnects.

    Raises:
        DeadlinePassedError: It took too long.
        ClientDisconnect: The client is gone.
    """
    metrics = context.services.metrics
    try:
        with context.until_deadline():
            return await work
    except DeadlinePassedError:
        for framework in frameworks:
            metrics.for_framework(framework).count_timeout()
        raise
    except ClientDisconnect:
        for framework in frameworks:
            metrics.for_framework(framework).count_cancelled()
        raise


async def json_response(context: RequestContext, members: dict[str, object], *, size: int) -> RawResponse:
    """Return a JSON response with `size` bytes of arrays, and other members."""
    await context.reserve_response(estimate_size(OutputFormat.JSON, size))
    content = await run_maybe_in_thread(partial(dump_object, members), in_thread=should_offload(size))
    context.shrink_response(len(content))
    return build_json_response(content, total_s=context.elapsed_s)
