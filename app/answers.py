"""Has a model compute what a call asks for, and writes the answer as JSON, PNG or npy."""

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from fastapi import Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from app.calls import Call, OptionsT, remaining_s, run_by_size
from app.codecs.json_values import dump_object
from app.codecs.media_types import OutputFormat
from app.codecs.npy import dump_npy
from app.codecs.pictures import dump_png
from app.exceptions import DeadlinePassedError
from app.inference.computation import Computation
from app.inference.jobs import Timings
from app.inference.states import LoadedModel
from app.inference.tasks import Arrays
from app.metrics import FrameworkMetrics, Metrics
from app.patience import work_while_wanted

T = TypeVar("T")

Headers = list[tuple[bytes, bytes]]

_MEDIA_TYPES: Final = {output: output.media_type.encode() for output in OutputFormat}

_model_headers: WeakKeyDictionary[LoadedModel, Headers] = WeakKeyDictionary()


class Answer(Response):
    """A whole answer, whose headers are written out by whoever makes it."""

    def __init__(self, content: bytes, headers: Headers) -> None:
        self.status_code = 200
        self.body = content
        self.raw_headers = headers
        self.background = None

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


async def answer(
    request: Request,
    call: Call[OptionsT],
    model: LoadedModel,
    work: Callable[[Computation], Coroutine[Any, Any, Arrays]],
    *,
    seed: int | None,
) -> Answer:
    """Return what the work computes on the model, with where it comes from; `seed` is None where no noise is drawn.

    Raises:
        DeadlinePassedError: It took too long.
        ClientDisconnect: The client has gone; what hadn't begun won't be computed.
        FrameworkUnavailableError: The framework failed.
        OverloadedError: Its queue is full.
    """
    computation = model.begin()
    metrics: Metrics = request.app.state.metrics
    arrays = await compute(request, work(computation), [metrics.of(model.adapter.framework)])
    chosen = {name: arrays[name] for name in call.outputs}
    size = sum(array.nbytes for array in chosen.values())
    content = await run_by_size(size, _write, call.format, chosen, {**model.provenance, "seed": seed})
    timings = computation.timings
    total_s = time.perf_counter() - request.scope["state"]["arrived"]
    metrics.of(model.adapter.framework).observe_stages(
        queue_s=timings.queue_s, model_s=timings.model_s, codec_s=total_s - timings.queue_s - timings.model_s
    )
    headers = [
        *_provenance_headers(model),
        (b"server-timing", _server_timing(timings, total_s)),
        (b"content-type", _MEDIA_TYPES[call.format]),
        (b"content-length", b"%d" % len(content)),
        (b"vary", b"Accept"),
    ]
    if seed is not None:
        headers.append((b"x-triptych-seed", b"%d" % seed))
    return Answer(content, headers)


async def compute(request: Request, work: Coroutine[Any, Any, T], metrics: Sequence[FrameworkMetrics]) -> T:
    """Return what the work comes to, if its client still wants that; the metrics count where not.

    Raises:
        DeadlinePassedError: It took too long.
        ClientDisconnect: The client has gone.
    """
    try:
        return await work_while_wanted(work, receive=request.receive, seconds=remaining_s(request))
    except DeadlinePassedError:
        for counts in metrics:
            counts.count_timeout()
        raise
    except ClientDisconnect:
        for counts in metrics:
            counts.count_cancelled()
        raise


async def answer_object(request: Request, members: Mapping[str, object], *, size: int) -> Answer:
    """Return a JSON answer of arrays, `size` bytes of them, and whatever else there is to say."""
    content = await run_by_size(size, dump_object, members)
    total_s = time.perf_counter() - request.scope["state"]["arrived"]
    headers = [
        (b"server-timing", b"total;dur=%.3f" % (total_s * 1e3)),
        (b"content-type", _MEDIA_TYPES[OutputFormat.JSON]),
        (b"content-length", b"%d" % len(content)),
    ]
    return Answer(content, headers)


def _write(output_format: OutputFormat, arrays: Arrays, provenance: Mapping[str, object]) -> bytes:
    match output_format:
        case OutputFormat.JSON:
            return dump_object({**arrays, **provenance})
        case OutputFormat.PNG:
            return dump_png(arrays["probs"])
        case OutputFormat.NPY:
            (array,) = arrays.values()
            return dump_npy(array)


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


def _server_timing(timings: Timings, total_s: float) -> bytes:
    return b"queue;dur=%.3f, model;dur=%.3f, total;dur=%.3f" % (
        timings.queue_s * 1e3,
        timings.model_s * 1e3,
        total_s * 1e3,
    )
