"""The hot path: plain requests to a model on a way of their own, from a connection's bytes to an answer.

Parsing headers, ASGI's messages and tasks take the interpreter several times as long as a model takes for an image. A
request goes this way if it came whole, its head is known, and it asks for one small operation; whatever isn't as plain,
or wrong, is left to the application, which answers the same bytes in the same way. What the application does with
headers, options, bodies and answers is done here by the same functions.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from fastapi import Response
from numpy import ndarray
from starlette.types import Scope

from app.answers import Answer, make_answer, write
from app.calls import Call, add_options, check_output, parse_call
from app.codecs.media_types import OutputFormat
from app.codecs.payload import has_files, parse_plain
from app.errors import answer_error, answer_unknown
from app.exceptions import DeadlinePassedError, ServiceError
from app.exchange import Service, join_fields
from app.heads import Found, KnownHeads
from app.inference.jobs import Outcome, Timings
from app.inference.plans import Plan
from app.inference.states import LoadedModel
from app.keys import Keys
from app.metrics import FrameworkMetrics
from app.middleware import CLIENT_GONE, find_key, fresh_request_id
from app.patience import TOOK_TOO_LONG
from app.planned_route import PlannedRoute

logger = logging.getLogger(__name__)

MAX_INPUT_BYTES: Final = 16 * 1024
"""More than five images of MNIST in float32 take the other way, where writing them may have a thread."""

_MAX_VALUES: Final = MAX_INPUT_BYTES // 4
"""As many are in float32."""

_NOT_PLAIN: Final = frozenset(
    (
        b"content-encoding",
        b"expect",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"x-request-timeout",
    )
)
"""Headers of requests that take the other way."""

Respond = Callable[[Response], None]


class Head(NamedTuple):
    """What is kept of a head."""

    route: PlannedRoute[Any]
    call: Call[Any]
    content_type: str
    is_json: bool
    key: bytes | None
    """The API key in it, where there are any."""


Planned = tuple[LoadedModel, Call[Any], Plan]


class HotPath:
    """The way of all connections."""

    def __init__(self, routes: Sequence[PlannedRoute[Any]], *, service: Service, keys: Keys) -> None:
        self.service = service
        self._routes = {route.path: route for route in routes}
        self._keys = keys
        self._heads: KnownHeads[Head] = KnownHeads()
        self._allowed_s = service.settings.request_timeout_s
        self._watched: dict[HotRequest, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def learn(self, data: bytes, scope: Scope, *, url: bytes) -> None:
        """Keep the head of a whole request, if one like it can take this way."""
        route = self._routes.get(scope["path"]) if scope["method"] == "POST" else None
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if route is None or not _NOT_PLAIN.isdisjoint([name for name, _ in headers]):
            return
        key = find_key(scope, self._keys) if self._keys else None
        if self._keys and key is None:
            return
        fields = join_fields(headers)
        content_type = fields.get(b"content-type", b"").decode("latin-1")
        is_json = content_type.lower().startswith(OutputFormat.JSON.media_type)
        try:
            call = parse_call(
                route.options_type,
                scope["query_string"],
                accept=fields.get(b"accept"),
                limits=self.service.limits,
            )
        except ServiceError:
            return  # the application says what is wrong
        self._heads.learn(data, method=b"POST", url=url, kept=Head(route, call, content_type, is_json, key))

    def find(self, data: bytes) -> Found[Head] | None:
        """Return what is known of a request of which the data have come; None if it can't take this way."""
        return self._heads.find(data)

    def begin(self, found: Found[Head], respond: Respond) -> "HotRequest | None":
        """Begin to answer a whole request, or return None: it goes to the application."""
        arrived = time.perf_counter()
        head = found.kept
        if head.key is not None and not self._keys.knows(head.key):
            return None
        try:
            planned = self._plan(head, found.body)
            if planned is None:
                return None
            request = HotRequest(self, found, planned, arrived=arrived, respond=respond)
        except Exception:  # noqa: BLE001 -- the application finds it again, logs what nobody expected, and says what is wrong
            return None
        if self._allowed_s:
            self._watch(request, arrived + self._allowed_s)
        return request

    def forget(self, request: "HotRequest") -> None:
        """Watch over a request no longer."""
        self._watched.pop(request, None)

    def _plan(self, head: Head, body: bytes) -> Planned | None:
        limits = self.service.limits
        model = self.service.registry.get(head.call.framework)
        config = model.adapter.model
        # Commas tell how many numbers there are before they are parsed, so that no large body is parsed twice.
        if not model.batcher.has_room or (head.is_json and body.count(b",") > _MAX_VALUES):
            return None
        payload = parse_plain(body, content_type=head.content_type, field=head.route.field, model=config, limits=limits)
        if payload is None or has_files(payload):
            return None
        call = add_options(head.call, payload, limits=limits)
        items = head.route.items_of(payload, call, config, limits)
        if items.nbytes > MAX_INPUT_BYTES:
            return None
        check_output(call)
        return model, call, head.route.plan(call, config, items)

    def _watch(self, request: "HotRequest", ends: float) -> None:
        self._watched[request] = ends
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._allowed_s, self._look)

    def _look(self) -> None:
        """Give up what is over its time, on one timer for all: each has as much, so that the first is over it first."""
        self._timer = None
        while self._watched:
            request, ends = next(iter(self._watched.items()))
            left_s = ends - time.perf_counter()
            if left_s > 0:
                self._timer = asyncio.get_running_loop().call_later(left_s, self._look)
                return
            request.give_up()


class HotRequest:
    """One request, from where its operation is queued to its answer."""

    __slots__ = ("_arrived", "_call", "_job", "_model", "_own_id", "_path", "_plan", "_respond", "_route")

    def __init__(
        self,
        path: HotPath,
        found: Found[Head],
        planned: Planned,
        *,
        arrived: float,
        respond: Respond,
    ) -> None:
        """Queue the operation; `respond` is given the answer later, unless the request is dropped.

        Raises:
            OverloadedError: The queue has no room.
            FrameworkUnavailableError: The framework is no longer served.
        """
        model, self._call, self._plan = planned
        self._path = path
        self._route = found.kept.route.path
        self._own_id = found.request_id
        self._model = model
        self._arrived = arrived
        self._respond = respond
        self._job = model.batcher.submit(
            model.adapter, self._plan.operation, self._plan.inputs, Timings(), self._finish
        )

    def drop(self) -> None:
        """End it, as its client has gone."""
        self._model.batcher.drop(self._job)
        self._metrics.count_cancelled()
        self._end(CLIENT_GONE)

    def give_up(self) -> None:
        """Answer that it took too long."""
        self._model.batcher.drop(self._job)
        self._metrics.count_timeout()
        self._refuse(DeadlinePassedError(TOOK_TOO_LONG))

    @property
    def _metrics(self) -> FrameworkMetrics:
        return self._path.service.metrics.of(self._model.adapter.framework)

    @property
    def _request_id(self) -> str:
        return fresh_request_id() if self._own_id is None else self._own_id.decode()

    def _finish(self, outcome: Outcome) -> None:
        if isinstance(outcome, ServiceError):
            self._refuse(outcome)
            return
        request_id = self._request_id
        try:
            response: Response = self._write(outcome)
        except Exception:
            logger.exception("request %s failed", request_id)
            response = answer_unknown(request_id=request_id)
        self._send(response, request_id)

    def _write(self, outputs: tuple[ndarray, ...]) -> Answer:
        call, model, plan, timings = self._call, self._model, self._plan, self._job.timings
        content = write(call, model, plan.name_outputs(outputs), seed=plan.seed)
        timings.total_s = time.perf_counter() - self._arrived
        self._metrics.observe_stages(timings)
        return make_answer(call, model, content, seed=plan.seed, timings=timings)

    def _refuse(self, error: ServiceError) -> None:
        request_id = self._request_id
        self._send(answer_error(error, request_id=request_id), request_id)

    def _send(self, response: Response, request_id: str) -> None:
        response.raw_headers.append((b"x-request-id", request_id.encode()))
        self._end(response.status_code)
        self._respond(response)

    def _end(self, status: int) -> None:
        self._path.forget(self)
        self._path.service.metrics.observe_answer(
            route=self._route,
            framework=self._model.adapter.framework,
            status=status,
            total_s=time.perf_counter() - self._arrived,
        )
