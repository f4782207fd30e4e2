"""A request on the fast path, from its body to its response: operation, deadline, errors. Chooses no route."""

import asyncio
import logging
import math
import time
from typing import Any, Final, cast

from fastapi import Response
from starlette.types import Scope

from app.api.deadlines import DEADLINE_MESSAGE, Deadline
from app.api.middleware.cors import CorsPolicy
from app.api.services import Services
from app.api.small_request import MAX_INPUT_BYTES, FastRoute, Plan, PreparedOperation
from app.errors import DeadlinePassedError, ServiceError
from app.inference.adapters.base import Tensors
from app.inference.batching.job import Job, JobResult
from app.inference.models.state import LoadedModel
from app.observability.request_ids import CLIENT_CLOSED_REQUEST
from app.observability.timings import Timings
from app.problem_details import error_response, internal_error_response
from app.protocol.connection import BoundedConnection
from app.protocol.response_writer import write_response

logger = logging.getLogger(__name__)

_MAX_ROWS: Final = 16
"""Maximum images or latents on the fast path; the application may render more in a thread."""


class FastRequest:
    """One request; it has the members of uvicorn's `RequestResponseCycle` that a connection reads and sets."""

    __slots__ = (
        "_cors",
        "_deadline",
        "_job",
        "_prepared",
        "_route",
        "_services",
        "allowed_s",
        "body",
        "default_headers",
        "disconnected",
        "error",
        "keep_alive",
        "model",
        "on_response",
        "plan",
        "response_complete",
        "response_started",
        "scope",
        "transport",
    )

    message_event: Final = asyncio.Event()
    """uvicorn sets the event of a cycle, for which the application waits; here nothing waits."""

    def __init__(
        self,
        connection: BoundedConnection,
        scope: Scope,
        route: FastRoute,
        *,
        services: Services,
        cors: CorsPolicy | None,
    ) -> None:
        self.transport = connection.transport
        self.default_headers = connection.server_state.default_headers
        self.on_response = connection.on_response_complete
        self.keep_alive = True
        self.scope = scope
        self.body = b""
        self.response_started = self.response_complete = self.disconnected = False
        self.plan: Plan | None = None
        self.model: LoadedModel
        self.allowed_s = math.inf
        """Seconds until its deadline, from its arrival."""

        self.error: ServiceError | None = None
        """The error with which it is rejected before its body arrives."""

        self._services = services
        self._cors = cors
        self._route = route
        self._prepared: PreparedOperation
        self._job: Job | None = None
        self._deadline: Deadline | None = None

    def submit(self) -> bool:
        """Queue the operation; return False to leave the request to the application.

        Raises:
            ServiceError: The body is wrong, the queue is full, or the framework is unavailable.
        """
        model = self.model
        assert self.plan is not None
        prepared = self.plan.prepare(self.body, model)
        if prepared is None:
            return False
        self._prepared = prepared
        operation = prepared.operation
        first = operation.inputs[0]
        if first.nbytes > MAX_INPUT_BYTES or len(first) > _MAX_ROWS:
            return False
        state = self.scope["state"]
        timings = Timings(state["arrived"], headers=self.scope["headers"])
        state["timings"] = (timings,)
        allowed_s = self.allowed_s if prepared.timeout_s is None else min(self.allowed_s, prepared.timeout_s)
        if allowed_s != math.inf:
            left_s = allowed_s - (time.perf_counter() - state["arrived"])
            self._deadline = self._services.deadlines.add(self._time_out, left_s)
        self._job = model.batcher.submit(model.adapter, operation.function, operation.inputs, timings, self.respond)
        return True

    def respond(self, result: JobResult) -> None:
        """Respond with the outputs of the operation, or with an error."""
        self._job = None  # it refers to this request: a reference cycle
        response = self._render_error(result) if isinstance(result, ServiceError) else self._render(result)
        self._services.deadlines.remove(self._deadline)
        self._deadline = None
        headers = response.raw_headers
        if self._cors is not None:
            self._cors.add_headers(headers, self.scope["headers"])
        headers.append((b"x-request-id", self.scope["state"]["request_id"].encode()))
        if not self.disconnected and not self.transport.is_closing():
            write_response(cast("Any", self), response.status_code, headers, bytes(response.body))
        self._services.observer.complete(self.scope, route=self._route.path, status=response.status_code)

    def cancel(self) -> None:
        """Cancel the request because the client disconnected; its body may be incomplete."""
        self._remove_deadline()
        if self._job is not None:
            self.model.batcher.cancel(self._job)
            self._services.metrics.for_framework(self.model.adapter.framework).count_cancelled()
        self._services.observer.complete(self.scope, route=self._route.path, status=CLIENT_CLOSED_REQUEST)

    def detach(self) -> None:
        """Give up the connection's response, because the application handles the request from now on."""
        self.response_complete = True
        self._remove_deadline()

    def _remove_deadline(self) -> None:
        self._services.deadlines.remove(self._deadline)
        self._deadline = None

    def _time_out(self) -> None:
        if self._job is not None:
            self.model.batcher.cancel(self._job)
        self._services.metrics.for_framework(self.model.adapter.framework).count_timeout()
        self.respond(DeadlinePassedError(DEADLINE_MESSAGE))

    def _render(self, outputs: Tensors) -> Response:
        state = self.scope["state"]
        try:
            operation = self._prepared.operation
            arrays = dict(zip(operation.names, outputs, strict=True), **operation.known)
            return self._prepared.render(arrays, state["timings"][0])
        except ServiceError as error:
            return self._render_error(error)
        except Exception as error:
            state["error"] = error
            request_id = state["request_id"]
            logger.exception("request %s failed", request_id)
            return self._route.convert_error(internal_error_response(request_id=request_id))

    def _render_error(self, error: ServiceError) -> Response:
        state = self.scope["state"]
        state["error"] = error
        return self._route.convert_error(error_response(error, request_id=state["request_id"]))
