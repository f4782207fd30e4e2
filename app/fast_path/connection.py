"""A connection that handles small requests to one model without ASGI, and leaves all others to the application.

An ASGI task costs several times the CPU time that a model takes for an image. The fast path calls the application's
functions for options, bodies, responses and errors, so its responses are the same. It leaves a request that it doesn't
support, or that fails unexpectedly, to the application.

If a model's queue is full, a request is rejected at the end of its headers, however large its body is.
"""

import math
import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, Final, cast
from urllib.parse import unquote

import httptools

from app.api.middleware.access import AccessControl
from app.api.middleware.cors import CorsPolicy
from app.api.offload import INLINE_BYTES
from app.api.request_context import read_timeout
from app.api.services import Services
from app.api.small_request import FastRoute, Plan
from app.errors import ModelNotLoadedError, ServiceError
from app.fast_path.request import FastRequest
from app.observability.request_ids import choose_request_id
from app.protocol.connection import BoundedConnection
from app.route_path import route_path

_LONGEST_CACHED: Final = 512
"""Maximum bytes of a query, and of the headers on which its plan depends, for the plan to be cached."""


def fast_connections(
    routes: Mapping[str, FastRoute], *, services: Services, access: AccessControl, cors: CorsPolicy | None
) -> Callable[..., BoundedConnection]:
    """Return the constructor of connections that handle small requests to the routes by themselves."""
    return partial(FastPathConnection, fast_path=FastPath(routes, services=services, access=access, cors=cors))


class FastPath:
    """Decides which requests of all connections take the fast path."""

    def __init__(
        self,
        routes: Mapping[str, FastRoute],
        *,
        services: Services,
        access: AccessControl,
        cors: CorsPolicy | None,
    ) -> None:
        self._routes = routes
        self._access = access
        self._services = services
        self._cors = cors
        self._allowed_s = services.settings.request_timeout_s or math.inf
        self._max_body_bytes = min(INLINE_BYTES, services.limits.max_body_bytes)
        # Most clients repeat their query and the headers on which plans depend.
        self._cached_plan = lru_cache(maxsize=1024)(self._plan)

    def match(self, connection: "FastPathConnection", scope: dict[str, Any]) -> FastRequest | None:
        """Return the request if its route has a fast path; the application handles one with neither plan nor error."""
        route = self._routes.get(route_path(scope) if scope["root_path"] else scope["path"])
        if route is None:
            return None
        services, headers = self._services, connection.headers_by_name
        request = FastRequest(connection, scope, route, services=services, cors=self._cors)
        state = scope["state"]
        state["arrived"] = time.perf_counter()
        request_id = headers.get(b"x-request-id")
        state["request_id"] = choose_request_id(() if request_id is None else (request_id,))
        try:
            if self._access.is_needed:
                self._access.check(scope)
            if b"x-request-timeout" in headers:
                request.allowed_s = read_timeout(headers, services.settings)
            else:
                request.allowed_s = self._allowed_s
            query = scope["query_string"]
            values = list(map(headers.get, route.header_names))
            is_short = len(query) + sum(map(len, filter(None, values))) <= _LONGEST_CACHED
            plan = (self._cached_plan if is_short else self._plan)(route, query, *values)
            if plan is None:
                return request
            request.model = model = services.registry.find(plan.choice, state)
            if model.batcher.is_full:
                model.batcher.check_capacity()
            length = headers.get(b"content-length", b"")
            if b"content-encoding" not in headers and 0 < len(length) <= 5 and int(length) <= self._max_body_bytes:
                request.plan = plan
        except ModelNotLoadedError:
            pass  # the application loads the model
        except ServiceError as error:
            request.error = error
        except Exception:  # noqa: BLE001 -- the application fails the same way, logs it and responds with 500
            request.plan = None
        return request

    def begin(self, request: FastRequest) -> bool:
        """Queue the operation of a complete request, or respond with its error; return False for the application."""
        try:
            return request.submit()
        except ServiceError as error:
            request.respond(error)
            return True
        except Exception:  # noqa: BLE001 -- the application fails the same way, logs it and responds with 500
            return False

    def _plan(self, route: FastRoute, query: bytes, *headers: bytes | None) -> Plan | None:
        return route.plan(self._services.limits, query, *headers)


class FastPathConnection(BoundedConnection):
    """A client's connection; parsing, pipelining, keep-alive and shutdown are uvicorn's.

    A `FastRequest` takes the place of uvicorn's `RequestResponseCycle`, which exists only for requests that the
    application handles.
    """

    __slots__ = ("_fast_path", "_waiting")

    def __init__(self, *arguments: Any, fast_path: FastPath, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._fast_path = fast_path
        self._waiting: FastRequest | None = None
        """The running request, if it waits for the rest of its body."""

    def on_body(self, body: bytes) -> None:
        """Append received bytes to the body."""
        if self._waiting is not None:
            self._waiting.body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Complete a request; start its operation if it is on the fast path."""
        request = self._waiting
        if request is None:
            super().on_message_complete()
            return
        self._in_message = False
        self._waiting = None
        if not self._fast_path.begin(request):
            self._fall_back(request, more_body=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the running request."""
        super().connection_lost(exc)
        self._waiting = None
        if isinstance(self._running, FastRequest) and not self._running.response_complete:
            self._running.cancel()

    def enforce_timeouts(self, now: float) -> None:
        """Leave a request with a slow body to the application, which limits the time of bodies."""
        if self._waiting is not None:
            self._fall_back(self._waiting, more_body=True)
        super().enforce_timeouts(now)

    def reject(self, status: int, detail: str) -> None:
        """Reject a malformed request; one that waits for the rest of its body is never computed."""
        self._waiting = None
        super().reject(status, detail)

    def _start_request(self) -> None:
        """Start a plain request on the fast path if no other is in progress, and all others by uvicorn."""
        parser, headers, before = self.parser, self.headers_by_name, self.cycle
        if (
            parser.get_method() != b"POST"
            or not (before is None or before.response_complete)
            or len(headers) < len(self.headers)
            or b"expect" in headers
            or parser.get_http_version() != "1.1"
            # The application waits for clients that don't read; the fast path can't.
            or self.flow.write_paused
        ):
            self._start_by_uvicorn({})
            return
        path, raw_path, query = _split_target(self.url)
        scope: dict[str, Any] = {
            "method": "POST",
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "http_version": "1.1",
            "headers": self.headers,
            "client": self.client,
            "scheme": self.scheme,
            "state": {},
        }
        if self._trusts_peer or self._root_path:
            self._apply_forwarded(scope)
        request = self._fast_path.match(self, scope)
        if request is None or (request.plan is None and request.error is None):
            # The state holds its ID, and whether the rate limit has counted it.
            self._start_by_uvicorn(scope["state"])
            return
        request.keep_alive = parser.should_keep_alive() and not self._is_draining
        self._running = self.cycle = cast("Any", request)
        if request.error is None:
            self._waiting = request
        else:
            request.respond(request.error)

    def _fall_back(self, request: FastRequest, *, more_body: bool) -> None:
        """Leave the request whose headers were parsed last to the application."""
        self._waiting = None
        request.detach()
        self._start_by_uvicorn(request.scope["state"])
        self.cycle.body += request.body
        self.cycle.more_body = more_body
        self.cycle.message_event.set()


@lru_cache(maxsize=1024)
def _split_target(url: bytes) -> tuple[str, bytes, bytes]:
    """Return path, raw path and query of a request target."""
    target = httptools.parse_url(url)
    path = target.path.decode("ascii")
    return unquote(path) if "%" in path else path, target.path, target.query or b""
