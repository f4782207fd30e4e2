"""One request on the hot path, from where its operation is queued to its answer."""

import logging
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from fastapi import Response
from numpy import ndarray

from app.answers import Answer, make_answer, write
from app.calls import Call
from app.errors import answer_error, answer_unknown
from app.exceptions import DeadlinePassedError, ServiceError
from app.inference.jobs import Outcome, Timings
from app.inference.plans import Plan
from app.inference.states import LoadedModel
from app.metrics import Metrics
from app.middleware import CLIENT_GONE, fresh_request_id
from app.patience import TOOK_TOO_LONG

logger = logging.getLogger(__name__)

Respond = Callable[[Response], None]


class Planned(NamedTuple):
    """What is asked for, checked, and what it takes."""

    route: str
    """Its path, for the metrics."""

    model: LoadedModel
    call: Call[Any]
    plan: Plan
    request_id: bytes | None
    """The client's own."""

    arrived: float
    """When, by `time.perf_counter`."""


def refuse(error: ServiceError, *, own_id: bytes | None) -> Response:
    """Return the answer that tells an error to a client, which may have given its request an id."""
    request_id = _choose_id(own_id)
    response = answer_error(error, request_id=request_id)
    _add_id(response, request_id)
    return response


class HotRequest:
    """One request, from where its operation is queued to its answer."""

    __slots__ = ("_job", "_metrics", "_on_end", "_planned", "_respond")

    def __init__(
        self, planned: Planned, *, metrics: Metrics, on_end: Callable[["HotRequest"], None], respond: Respond
    ) -> None:
        """Queue the operation; once it has an answer, or is dropped, `on_end` is called, and `respond` with the answer.

        Raises:
            OverloadedError: The queue has no room.
            FrameworkUnavailableError: The framework is no longer served.
        """
        self._planned = planned
        self._metrics = metrics
        self._on_end = on_end
        self._respond = respond
        model, plan = planned.model, planned.plan
        self._job = model.batcher.submit(model.adapter, plan.operation, plan.inputs, Timings(), self._finish)

    def drop(self) -> None:
        """End it, as its client has gone."""
        self._planned.model.batcher.drop(self._job)
        self._metrics.of(self._framework).count_cancelled()
        self._end(CLIENT_GONE)

    def give_up(self) -> None:
        """Answer that it took too long."""
        self._planned.model.batcher.drop(self._job)
        self._metrics.of(self._framework).count_timeout()
        self._refuse(DeadlinePassedError(TOOK_TOO_LONG))

    @property
    def _framework(self) -> str:
        return self._planned.model.adapter.framework

    def _finish(self, outcome: Outcome) -> None:
        if isinstance(outcome, ServiceError):
            self._refuse(outcome)
            return
        request_id = _choose_id(self._planned.request_id)
        try:
            response: Response = self._write(outcome)
        except Exception:
            logger.exception("request %s failed", request_id)
            response = answer_unknown(request_id=request_id)
        _add_id(response, request_id)
        self._send(response)

    def _write(self, outputs: tuple[ndarray, ...]) -> Answer:
        _, model, call, plan, _, arrived = self._planned
        content = write(call, model, plan.name_outputs(outputs), seed=plan.seed)
        timings = self._job.timings
        timings.total_s = time.perf_counter() - arrived
        self._metrics.of(self._framework).observe_stages(timings)
        return make_answer(call, model, content, seed=plan.seed, timings=timings)

    def _refuse(self, error: ServiceError) -> None:
        self._send(refuse(error, own_id=self._planned.request_id))

    def _send(self, response: Response) -> None:
        self._end(response.status_code)
        self._respond(response)

    def _end(self, status: int) -> None:
        self._on_end(self)
        self._metrics.observe_answer(
            route=self._planned.route,
            framework=self._framework,
            status=status,
            total_s=time.perf_counter() - self._planned.arrived,
        )


def _choose_id(own_id: bytes | None) -> str:
    return fresh_request_id() if own_id is None else own_id.decode()


def _add_id(response: Response, request_id: str) -> None:
    response.raw_headers.append((b"x-request-id", request_id.encode()))
