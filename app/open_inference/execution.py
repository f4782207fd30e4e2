"""An infer request from its body to its response: the plain routes' queue, noise, deadline and memory budget."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from app.api.execution import run_until_deadline
from app.api.offload import run_maybe_in_thread, should_offload
from app.api.request_context import RequestContext
from app.api.response_rendering import RawResponse, estimate_size
from app.codecs.content_negotiation import OutputFormat
from app.inference.models.state import LoadedModel, ModelChoice
from app.inference.noise import choose_seed
from app.inference.operations import NamedArrays
from app.inference.scoring import score
from app.inference.session import ModelSession
from app.observability.timings import Timings
from app.open_inference.catalog import ModelName
from app.open_inference.messages.request_head import Target
from app.open_inference.messages.requests import LENGTH_HEADER, InferRequest, parse_request
from app.open_inference.messages.responses import choose_coding, compress, dump_response
from app.open_inference.tasks import SEEDED, prepare_operation

LENGTH_FIELD: Final = LENGTH_HEADER.lower().encode()


async def infer(context: RequestContext, name: ModelName, *, url_name: str) -> RawResponse:
    """Return the response to an infer request of a model, whose name in the URL may be an alias.

    Raises:
        ServiceError: The errors of the plain routes, for the same reasons.
    """
    services = context.services
    model = await context.acquire_model(ModelChoice(name.framework, name.model))
    body = await context.read_body()
    target = replace(name.with_limits(model.adapter.model, services.limits), url_name=url_name)
    header = context.header(LENGTH_FIELD)
    parse = partial(parse_request, body, header_length=header, target=target)
    request = await run_maybe_in_thread(parse, in_thread=should_offload(len(body), is_npy=header is not None))
    if request.parameters.timeout_s is not None:
        context.limit_time(request.parameters.timeout_s)
    seed = choose_seed(request.parameters.seed)
    session = context.new_session(model)
    arrays = await run_until_deadline(context, compute(session, name.task, request, seed), [name.framework])
    coding = choose_coding(context.header(b"accept-encoding"))
    size = sum(arrays[output.name].nbytes for output in request.outputs)
    is_binary = all(output.is_binary for output in request.outputs)
    await context.reserve_response(estimate_size(OutputFormat.NPY if is_binary else OutputFormat.JSON, size))
    write = partial(_write, request, target, arrays, describe_origin(model, name.task, seed), coding)
    in_thread = coding is not None or should_offload(size, is_npy=is_binary)
    content, length = await run_maybe_in_thread(write, in_thread=in_thread)
    context.shrink_response(len(content))
    session.timings.total_s = context.elapsed_s
    return build_response(content, length, coding, session.timings)


def describe_origin(model: LoadedModel, task: str, seed: int) -> Mapping[str, object]:
    """Return a response's parameters: the model that computed it, and the seed of its noise where the task has any."""
    origin = {name: value for name, value in model.provenance.items() if value is not None}
    return {"seed": seed, **origin} if task in SEEDED else origin


async def compute(session: ModelSession, task: str, request: InferRequest, seed: int) -> NamedArrays:
    """Return the arrays of a task by name; errors are those of `Batcher.run`."""
    operation = prepare_operation(task, session.adapter.model, request, seed=seed)
    if operation is not None:
        return await session.run_operation(operation)
    return await score(session, request.inputs["images"], samples=request.parameters.samples, seed=seed)


def _write(
    request: InferRequest, target: Target, arrays: NamedArrays, origin: Mapping[str, object], coding: str | None
) -> tuple[bytes, int | None]:
    content, length = dump_response(request, target, arrays, origin)
    return (content if coding is None else compress(content, coding)), length


def build_response(content: bytes, length: int | None, coding: str | None, timings: Timings) -> RawResponse:
    """Return a response of these bytes, the first `length` of them JSON where tensors in binary follow."""
    headers = [
        (b"content-type", b"application/json" if length is None else b"application/octet-stream"),
        (b"content-length", b"%d" % len(content)),
        (b"server-timing", timings.server_timing),
        (b"vary", b"Accept-Encoding"),
    ]
    if length is not None:
        headers.append((LENGTH_FIELD, b"%d" % length))
    if coding is not None:
        headers.append((b"content-encoding", coding.encode()))
    return RawResponse(content, headers)
