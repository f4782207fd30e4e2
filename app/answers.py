"""Has a model's worker compute what a call asks for, and writes the answer as JSON, PNG or npy."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, ParamSpec, TypeVar

from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from app.calls import Call, OptionsT, run_by_size
from app.codecs.json_values import dump_object
from app.codecs.media_types import OutputFormat
from app.codecs.npy import dump_npy
from app.codecs.pictures import dump_png
from app.inference.vae import Arrays
from app.inference.worker import Timings

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE_S: Final = 0.05
"""How long a call takes before it is worth asking whether the client still waits for it."""


async def compute(
    request: Request, call: Call[OptionsT], function: Callable[P, Arrays], *args: P.args, **kwargs: P.kwargs
) -> tuple[Arrays, Timings]:
    """Call the function on the worker of the call's model.

    Raises:
        FrameworkUnavailableError: It failed.
        ClientDisconnect: The client has gone; unless the function has begun, it won't be called.
    """
    return await _unless_gone(request, call.model.worker.run(function, *args, **kwargs))


async def respond(
    request: Request, call: Call[OptionsT], computed: tuple[Arrays, Timings], *, seed: int | None
) -> Response:
    """Return the arrays in the call's format, with where they come from; `seed` is None where no noise was drawn."""
    arrays, timings = computed
    provenance: dict[str, object] = {
        "framework": call.model.adapter.framework,
        "framework_version": call.model.adapter.framework_version,
        "device": call.model.adapter.device,
        "checkpoint": call.model.checkpoint_id,
        "seed": seed,
    }
    size = sum(array.nbytes for array in arrays.values())
    content = await run_by_size(size, _write, call, arrays, provenance)
    headers = {
        f"X-Triptych-{name.replace('_', '-').title()}": str(value)
        for name, value in provenance.items()
        if value is not None
    }
    headers |= {"Server-Timing": _server_timing(request, timings), "Vary": "Accept"}
    return Response(content, headers=headers, media_type=call.format.media_type)


def _write(call: Call[OptionsT], arrays: Arrays, provenance: dict[str, object]) -> bytes:
    match call.format:
        case OutputFormat.JSON:
            return dump_object({**arrays, **provenance})
        case OutputFormat.PNG:
            return dump_png(arrays["probs"])
        case OutputFormat.NPY:
            return dump_npy(arrays[call.output or call.options.outputs[0]])


def _server_timing(request: Request, timings: Timings) -> str:
    total_ms = (time.perf_counter() - request.state.arrived) * 1e3
    durations = {"queue": timings.queue_ms, "model": timings.model_ms, "total": total_ms}
    return ", ".join(f"{name};dur={duration:.3f}" for name, duration in durations.items())


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    working = asyncio.create_task(work)
    leaving: asyncio.Task[None] | None = None
    try:
        await asyncio.wait({working}, timeout=PATIENCE_S)
        if not working.done():
            leaving = asyncio.create_task(_wait_until_gone(request))
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        for task in (working, leaving):
            if task is not None:
                task.cancel()


async def _wait_until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
