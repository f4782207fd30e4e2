"""The hot path: plain requests to a model on a way of their own, from a connection's bytes to an answer.

Parsing headers, ASGI's messages and tasks take the interpreter several times as long as a model takes for an image. A
request goes this way if it came whole, its head is known, and it asks for one small operation; whatever isn't as plain,
or wrong, is left to the application, which answers the same bytes in the same way. What the application does with
headers, options, bodies and answers is done here by the same functions.

Where a model's queue is full, a request with a known head is refused here however large it is, before its body is read.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from fastapi import Response
from starlette.types import Scope

from app.calls import INLINE_BYTES, Call, add_options, check_output, parse_call
from app.codecs.media_types import OutputFormat
from app.codecs.payload import has_files, parse_plain
from app.exceptions import OverloadedError, ServiceError
from app.exchange import Service, join_fields
from app.heads import Found, KnownHeads
from app.hot_request import HotRequest, Planned, Respond, refuse
from app.inference.states import LoadedModel
from app.keys import Keys
from app.middleware import find_key
from app.planned_route import PlannedRoute

MAX_BODY_BYTES: Final = INLINE_BYTES
"""What is longer takes the other way."""

_MAX_INPUT_BYTES: Final = 16 * 1024
"""More than five images of MNIST in float32 take the other way, where writing them may have a thread."""

_MAX_VALUES: Final = _MAX_INPUT_BYTES // 4
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


class Head(NamedTuple):
    """What is kept of a head."""

    route: PlannedRoute[Any]
    call: Call[Any]
    content_type: str
    is_json: bool
    key: bytes | None
    """The API key in it, where there are any."""


class HotPath:
    """The way of all connections."""

    def __init__(self, routes: Sequence[PlannedRoute[Any]], *, service: Service, keys: Keys) -> None:
        self._service = service
        self._routes = {route.path: route for route in routes}
        self._keys = keys
        self._heads: KnownHeads[Head] = KnownHeads()
        self._allowed_s = service.settings.request_timeout_s
        self._watched: dict[HotRequest, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def learn(self, data: bytes, scope: Scope, *, nbytes: int, url: bytes) -> None:
        """Keep the head of a request of so many bytes, which the data begin, if one like it can take this way."""
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
                limits=self._service.limits,
            )
        except ServiceError:
            return  # the application says what is wrong
        kept = Head(route, call, content_type, is_json, key)
        self._heads.learn(data, nbytes=nbytes, method=b"POST", url=url, kept=kept)

    def find(self, data: bytes) -> Found[Head] | None:
        """Return what is known of a request of which the data have come; None if it can't take this way."""
        return self._heads.find(data)

    def begin(self, found: Found[Head], respond: Respond) -> HotRequest | Response | None:
        """Begin to answer a request; return its answer if the queue is full, or None: it goes to the application."""
        arrived = time.perf_counter()
        head = found.kept
        if head.key is not None and not self._keys.knows(head.key):
            return None
        try:
            model = self._service.registry.get(head.call.framework)
            model.batcher.check_room()
            is_ready = not found.missing and found.parts.body_length <= MAX_BODY_BYTES
            planned = self._plan(found, model, arrived) if is_ready else None
            if planned is None:
                return None
            request = HotRequest(planned, metrics=self._service.metrics, on_end=self._forget, respond=respond)
        except OverloadedError as error:
            return self._refuse(found, error, model.adapter.framework, arrived)
        except Exception:  # noqa: BLE001 -- the application finds it again, logs what nobody expected, and says what is wrong
            return None
        if self._allowed_s:
            self._watch(request, arrived + self._allowed_s)
        return request

    def _plan(self, found: Found[Head], model: LoadedModel, arrived: float) -> Planned | None:
        head, body = found.kept, found.body
        limits = self._service.limits
        config = model.adapter.model
        if head.is_json and _may_have_many_values(body):
            return None
        payload = parse_plain(body, content_type=head.content_type, field=head.route.field, model=config, limits=limits)
        if payload is None or has_files(payload):
            return None
        call = add_options(head.call, payload, limits=limits)
        items = head.route.items_of(payload, call, config, limits)
        if items.nbytes > _MAX_INPUT_BYTES:
            return None
        check_output(call)
        plan = head.route.plan(call, config, items)
        return Planned(head.route.path, model, call, plan, found.parts.request_id, arrived)

    def _refuse(self, found: Found[Head], error: OverloadedError, framework: str, arrived: float) -> Response:
        response = refuse(error, own_id=found.parts.request_id)
        self._service.metrics.observe_answer(
            route=found.kept.route.path,
            framework=framework,
            status=response.status_code,
            total_s=time.perf_counter() - arrived,
        )
        return response

    def _forget(self, request: HotRequest) -> None:
        self._watched.pop(request, None)

    def _watch(self, request: HotRequest, ends: float) -> None:
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


def _may_have_many_values(body: bytes) -> bool:
    """Tell whether a JSON text may have more numbers than go this way, so that no large one is parsed twice."""
    return len(body) > 2 * _MAX_VALUES and body.count(b",") > _MAX_VALUES
