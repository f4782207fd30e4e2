"""The six calls of the protocol's gRPC service, on the queue, noise, limits and metrics of the HTTP routes."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

import grpc

from app.api.deadlines import DEADLINE_MESSAGE
from app.api.middleware.access import AccessControl
from app.api.offload import INLINE_BYTES, run_maybe_in_thread, should_offload
from app.api.services import Services
from app.errors import DeadlinePassedError, RetryLaterError, ServiceError
from app.inference.models.readiness import require_model_ready, require_ready
from app.inference.noise import choose_seed
from app.observability.request_ids import CLIENT_CLOSED_REQUEST, read_request_id
from app.open_inference.catalog import ModelName, find_model
from app.open_inference.execution import compute, describe_origin
from app.open_inference.grpc_server.definition import SERVICE, message_class
from app.open_inference.grpc_server.messages import Message, parse_message, read_request, write_response
from app.problem_details import find_status

logger = logging.getLogger(__name__)

_CODES: Final = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.INVALID_ARGUMENT,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}

_PUBLIC: Final = frozenset({"ServerLive", "ServerReady"})
"""Calls that need no API key."""


class Call:
    """One call while it runs: its framework, deadline and memory."""

    def __init__(self, name: str, services: Services, context: Any) -> None:
        self.services = services
        self.scope = _as_scope(name, context)
        self._context = context
        self._held = 0
        self._allowed_s = services.settings.request_timeout_s or math.inf

    @property
    def state(self) -> dict[str, Any]:
        """Its arrival, framework, timings and error, for the observer."""
        state: dict[str, Any] = self.scope["state"]
        return state

    @property
    def elapsed_s(self) -> float:
        """Seconds since it arrived."""
        arrived: float = self.state["arrived"]
        return time.perf_counter() - arrived

    @property
    def remaining_s(self) -> float | None:
        """Seconds until its deadline; None without one."""
        left_s = self._allowed_s - self.elapsed_s
        client_s = self._context.time_remaining()
        left_s = left_s if client_s is None else min(left_s, client_s)
        return None if left_s == math.inf else max(left_s, 0)

    def limit_time(self, seconds: float) -> None:
        """Allow the call at most so many seconds."""
        self._allowed_s = min(self._allowed_s, seconds)

    def reserve(self, nbytes: int) -> None:
        """Reserve memory until the call's end.

        Raises:
            OverloadedError: All requests together hold too many bytes.
        """
        if nbytes > INLINE_BYTES:
            self.services.memory.reserve_now(nbytes)
            self._held += nbytes

    def release(self) -> None:
        """Release all memory."""
        self.services.memory.release(self._held)


class InferenceService:
    """The calls by their names."""

    def __init__(self, services: Services, access: AccessControl, *, version: str, extensions: tuple[str, ...]) -> None:
        self._services = services
        self._access = access
        self._version = version
        self._extensions = extensions
        self._calls: dict[str, Callable[[Call, Message], Awaitable[Message]]] = {
            "ServerLive": self._check_live,
            "ServerReady": self._check_ready,
            "ModelReady": self._check_model_ready,
            "ServerMetadata": self._describe_server,
            "ModelMetadata": self._describe_model,
            "ModelInfer": self._infer,
        }

    def make_handler(self) -> Any:
        """Return the handler of all calls, as a gRPC server takes it."""
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                partial(self._handle, name),
                response_serializer=message_class(f"{name}Response").SerializeToString,
            )
            for name in self._calls
        }
        return grpc.method_handlers_generic_handler(SERVICE, handlers)

    async def _handle(self, name: str, content: bytes, context: Any) -> Message:
        """Return a call's response, or end it with the status of its error; count it either way."""
        call = Call(name, self._services, context)
        error: Exception
        status = CLIENT_CLOSED_REQUEST
        try:
            if name not in _PUBLIC:
                self._access.check(call.scope)
            call.reserve(len(content))
            response = await self._calls[name](call, parse_message(name, content))
            status = 200
        except ServiceError as caught:
            error, status = caught, find_status(caught)
            call.state["error"] = caught
        except Exception as caught:
            logger.exception("%s failed", name)
            error, status = caught, 500
            call.state["error"] = caught
        else:
            return response
        finally:
            call.release()
            self._services.observer.complete(call.scope, route=f"/{SERVICE}/{name}", status=status)
        return await _abort(context, error, status)

    async def _check_live(self, _call: Call, _: Message) -> Message:
        return message_class("ServerLiveResponse")(live=True)

    async def _check_ready(self, _call: Call, _: Message) -> Message:
        return message_class("ServerReadyResponse")(ready=_succeeds(partial(require_ready, self._services.registry)))

    async def _check_model_ready(self, _call: Call, request: Message) -> Message:
        name = self._find(request.name, request.version)
        ready = _succeeds(partial(require_model_ready, self._services.registry, name.framework, name.model))
        return message_class("ModelReadyResponse")(ready=ready)

    async def _describe_server(self, _call: Call, _: Message) -> Message:
        return message_class("ServerMetadataResponse")(
            name="triptych", version=self._version, extensions=self._extensions
        )

    async def _describe_model(self, _call: Call, request: Message) -> Message:
        name = self._find(request.name, request.version)
        model = await self._services.registry.get_or_load(name.framework, name.model)
        return message_class("ModelMetadataResponse")(**name.describe(model.adapter.model))

    async def _infer(self, call: Call, message: Message) -> Message:
        services = self._services
        name = self._find(message.model_name, message.model_version)
        call.state["framework"] = name.framework
        try:
            async with asyncio.timeout(call.remaining_s):
                model = await services.registry.get_or_load(name.framework, name.model)
        except TimeoutError:
            raise DeadlinePassedError(DEADLINE_MESSAGE) from None
        model.batcher.check_capacity()
        target = name.with_limits(model.adapter.model, services.limits)
        nbytes = message.ByteSize()
        is_raw = bool(message.raw_input_contents)
        request = await run_maybe_in_thread(
            partial(read_request, message, target), in_thread=should_offload(nbytes, is_npy=is_raw)
        )
        if request.parameters.timeout_s is not None:
            call.limit_time(request.parameters.timeout_s)
        seed = choose_seed(request.parameters.seed)
        session = model.new_session()
        call.state["timings"] = (session.timings,)
        try:
            async with asyncio.timeout(call.remaining_s):
                arrays = await compute(session, name.task, request, seed)
        except TimeoutError:
            services.metrics.for_framework(name.framework).count_timeout()
            raise DeadlinePassedError(DEADLINE_MESSAGE) from None
        except asyncio.CancelledError:
            services.metrics.for_framework(name.framework).count_cancelled()
            raise
        size = sum(arrays[output.name].nbytes for output in request.outputs)
        call.reserve(size)
        write = partial(write_response, request, target, arrays, describe_origin(model, name.task, seed))
        response = await run_maybe_in_thread(write, in_thread=should_offload(size, is_npy=is_raw))
        session.timings.total_s = call.elapsed_s
        return response

    def _find(self, name: str, version: str) -> ModelName:
        return find_model(name, version, self._services.registry)


def _as_scope(name: str, context: Any) -> dict[str, Any]:
    """Return a call as an ASGI request, for access control and the observer."""
    headers = [(key.encode(), _as_bytes(value)) for key, value in context.invocation_metadata() or ()]
    # `ipv4:127.0.0.1:40000` or `ipv6:%5B::1%5D:40000`.
    host = unquote(context.peer()).partition(":")[2].rpartition(":")[0].strip("[]")
    path = f"/{SERVICE}/{name}"
    return {
        "type": "http",
        "http_version": "2",
        "method": "POST",
        "scheme": "http",
        "root_path": "",
        "path": path,
        "raw_path": path.encode(),
        "headers": headers,
        "client": (host, 0),
        "state": {"arrived": time.perf_counter(), "request_id": read_request_id(headers)},
    }


def _as_bytes(value: str | bytes) -> bytes:
    return value.encode("latin-1") if isinstance(value, str) else value


def _succeeds(check: Callable[[], object]) -> bool:
    try:
        check()
    except ServiceError:
        return False
    return True


async def _abort(context: Any, error: Exception, status: int) -> Message:
    if isinstance(error, RetryLaterError):
        context.set_trailing_metadata((("retry-after", str(error.retry_after_s)),))
    message = str(error) if isinstance(error, ServiceError) else "the server failed; its log says more"
    return await context.abort(_CODES.get(status, grpc.StatusCode.INTERNAL), message)
