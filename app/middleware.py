"""What surrounds every route, in plain ASGI: request ids, the last resort, HEAD, and API keys."""

import logging
import random
import re
import time
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import answer_error, answer_unknown
from app.exceptions import AuthenticationError
from app.keys import Keys
from app.metrics import Metrics

logger = logging.getLogger(__name__)

OPEN_PATHS: Final = ("/healthz", "/readyz")
"""Routes that need no API key."""

OPEN_PAGE: Final = ("/", "/web/")
"""The web page, which asks for the key itself, and where its files begin."""

OTHER_ROUTE: Final = "other"
"""What the metrics call a path that no route has."""

CLIENT_GONE: Final = 499
"""nginx's status of an answer that reaches no one, for the metrics."""

_VISIBLE_ASCII: Final = re.compile(rb"[!-~]{1,128}")


class RequestMiddleware:
    """Give requests an id and their time of arrival, answer HEAD as GET, count answers, and make unknown errors 500."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, routes: frozenset[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        arrived = time.perf_counter()
        request_id = _request_id(scope["headers"])
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["arrived"] = arrived
        if scope["method"] == "HEAD":
            # The server, which still knows, leaves the body out.
            scope = {**scope, "method": "GET"}
        id_header = (b"x-request-id", request_id.encode())
        status = 0
        is_sent = False

        async def send_with_id(message: Message) -> None:
            nonlocal status, is_sent
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], id_header]
            else:
                is_sent = not message.get("more_body")
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            logger.exception("request %s failed", request_id)
            if status and not is_sent:
                raise
            if not is_sent:
                await answer_unknown(request_id=request_id)(scope, receive, send_with_id)
        finally:
            if status:
                self._metrics.observe_answer(
                    route=self._route(scope),
                    framework=state.get("framework"),
                    status=status,
                    total_s=time.perf_counter() - arrived,
                )

    def _route(self, scope: Scope) -> str:
        path: str = scope["path"]
        if path in self._routes:
            return path
        # Set by the router where the path matched a template.
        return getattr(scope.get("route"), "path", OTHER_ROUTE)


class ApiKeyMiddleware:
    """Refuse requests without one of the API keys, except for the health checks and the web page."""

    def __init__(self, app: ASGIApp, *, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or _is_open(scope["path"]) or find_key(scope, self._keys):
            await self._app(scope, receive, send)
            return
        error = AuthenticationError(
            "the API key is missing or wrong; send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`"
        )
        await answer_error(error, request_id=scope["state"]["request_id"])(scope, receive, send)


def fresh_request_id() -> str:
    """Return an id for a request that brought none."""
    # Not a secret: the operating system's generator, which lets other threads run, would take twenty times as long.
    return f"{random.getrandbits(64):016x}"


def find_key(scope: Scope, keys: Keys) -> bytes | None:
    """Return the API key that a request was sent with, if it is a known one."""
    headers = Headers(scope=scope)
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    given = [headers.get("X-API-Key", "")] + ([token.strip()] if scheme.lower() == "bearer" else [])
    return keys.find(given)


def _is_open(path: str) -> bool:
    page, files = OPEN_PAGE
    return path in OPEN_PATHS or path == page or path.startswith(files)


def _request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the client's own, if it sent a good one, or a fresh one."""
    for name, value in headers:
        if name == b"x-request-id" and _VISIBLE_ASCII.fullmatch(value):
            return value.decode()
    return fresh_request_id()
