"""Has a model compute what a call asks for, and writes the answer as JSON, PNG or npy."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from fastapi import Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from app.calls import INLINE_BYTES, Call, OptionsT, check_output, run_work, takes_long
from app.codecs.json_values import dump_object
from app.codecs.media_types import OutputFormat
from app.codecs.npy import dump_npy
from app.codecs.pictures import dump_png
from app.exceptions import DeadlinePassedError
from app.exchange import Exchange
from app.inference.computation import Computation
from app.inference.jobs import Timings
from app.inference.plans import Arrays, Plan
from app.inference.states import LoadedModel
from app.inference.tasks import carry_out

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
        is_large = len(self.body) > INLINE_BYTES
        await send({"type": "http.response.body", "body": self.body, "more_body": is_large})
        if is_large:
            # The server sends this once the client has taken most of it, until when it is held.
            await send({"type": "http.response.body", "body": b""})


async def answer_plan(exchange: Exchange, call: Call[OptionsT], model: LoadedModel, plan: Plan) -> Answer:
    """Return what a plan comes to on the model; errors are those of `answer`."""
    return await answer(exchange, call, model, lambda on: carry_out(on, plan), seed=plan.seed)


async def answer(
    exchange: Exchange,
    call: Call[OptionsT],
    model: LoadedModel,
    work: Callable[[Computation], Coroutine[Any, Any, Arrays]],
    *,
    seed: int | None,
) -> Answer:
    """Return what the work computes on the model, with where it comes from; `seed` is None where no noise is drawn.

    Raises:
        InvalidValueError: The answer can't be the array that is asked for.
        DeadlinePassedError: It took too long.
        ClientDisconnect: The client has gone; what hadn't begun won't be computed.
        FrameworkUnavailableError: The framework failed.
        OverloadedError: Its queue is full.
    """
    check_output(call)
    computation = model.begin()
    arrays = await compute(exchange, work(computation), [model.adapter.framework])
    size = sum([arrays[name].nbytes for name in call.outputs])
    is_long = takes_long(size, is_npy=call.format is OutputFormat.NPY)
    content = _hold(exchange, await run_work(partial(write, call, model, arrays, seed=seed), is_long=is_long))
    timings = computation.timings
    timings.total_s = exchange.elapsed_s
    exchange.service.metrics.of(model.adapter.framework).observe_stages(timings)
    return make_answer(call, model, content, seed=seed, timings=timings)


def write(call: Call[OptionsT], model: LoadedModel, arrays: Arrays, *, seed: int | None) -> bytes:
    """Return the body of an answer."""
    outputs = {name: arrays[name] for name in call.outputs}
    return _WRITE[call.format](outputs, model, seed)


def make_answer(
    call: Call[OptionsT], model: LoadedModel, content: bytes, *, seed: int | None, timings: Timings
) -> Answer:
    """Return an answer with the headers that say where it comes from, and where its time went."""
    headers = [
        *_provenance_headers(model),
        (b"content-type", _MEDIA_TYPES[call.format]),
        (b"content-length", b"%d" % len(content)),
        (b"server-timing", _server_timing(timings)),
        (b"vary", b"Accept"),
    ]
    if seed is not None:
        headers.append((b"x-triptych-seed", b"%d" % seed))
    return Answer(content, headers)


async def compute(exchange: Exchange, work: Coroutine[Any, Any, T], frameworks: Sequence[str]) -> T:
    """Return what the work comes to, if its client still wants that; the frameworks' metrics count where not.

    Raises:
        DeadlinePassedError: It took too long.
        ClientDisconnect: The client has gone.
    """
    try:
        return await exchange.service.patience.work_while_wanted(
            work, receive=exchange.await_message, seconds=exchange.remaining_s
        )
    except DeadlinePassedError:
        for framework in frameworks:
            exchange.service.metrics.of(framework).count_timeout()
        raise
    except ClientDisconnect:
        for framework in frameworks:
            exchange.service.metrics.of(framework).count_cancelled()
        raise


async def answer_object(exchange: Exchange, members: dict[str, object], *, size: int) -> Answer:
    """Return a JSON answer of arrays, `size` bytes of them, and whatever else there is to say."""
    content = _hold(exchange, await run_work(partial(dump_object, members), is_long=takes_long(size)))
    headers = [
        (b"content-type", _MEDIA_TYPES[OutputFormat.JSON]),
        (b"content-length", b"%d" % len(content)),
        (b"server-timing", b"total;dur=%.3f" % (exchange.elapsed_s * 1e3)),
    ]
    return Answer(content, headers)


def _hold(exchange: Exchange, content: bytes) -> bytes:
    """Count an answer that isn't sent at once among what is held, and return it."""
    if len(content) > INLINE_BYTES:
        exchange.hold(len(content))
    return content


def _write_json(outputs: Arrays, model: LoadedModel, seed: int | None) -> bytes:
    return dump_object({**outputs, **model.provenance, "seed": seed})


def _write_png(outputs: Arrays, _model: LoadedModel, _seed: int | None) -> bytes:
    return dump_png(outputs["probs"])


def _write_npy(outputs: Arrays, _model: LoadedModel, _seed: int | None) -> bytes:
    (array,) = outputs.values()
    return dump_npy(array)


_WRITE: Final = {OutputFormat.JSON: _write_json, OutputFormat.PNG: _write_png, OutputFormat.NPY: _write_npy}


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


def _server_timing(timings: Timings) -> bytes:
    return b"queue;dur=%.3f, model;dur=%.3f, total;dur=%.3f" % (
        timings.queue_s * 1e3,
        timings.model_s * 1e3,
        timings.total_s * 1e3,
    )
