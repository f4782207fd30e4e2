"""What surrounds every route, in plain ASGI: request ids, the last resort, HEAD, and API keys."""

import hmac
import logging
import re
import secrets
import time
from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import answer_error, problem
from app.exceptions import AuthenticationError

logger = logging.getLogger(__name__)

OPEN_PATHS: Final = ("/healthz", "/readyz")
"""What needs no API key."""

_VISIBLE_ASCII: Final = re.compile(r"[!-~]{1,128}")


class RequestMiddleware:
    """Give each request an id and the time of its arrival, answer HEAD as GET, and turn an unknown error into a 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("X-Request-ID", "")
        request_id = given if _VISIBLE_ASCII.fullmatch(given) else secrets.token_hex(8)
        is_head = scope["method"] == "HEAD"
        state = {**scope.get("state", {}), "request_id": request_id, "arrived": time.perf_counter()}
        scope = {**scope, "state": state, "method": "GET" if is_head else scope["method"]}
        is_started = False

        async def send_with_id(message: Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            logger.exception("request %s failed", request_id)
            if is_started:
                raise
            detail = "the server failed to answer; its log says more under this request_id"
            await problem(500, detail, request_id=request_id)(scope, receive, send_with_id)


class ApiKeyMiddleware:
    """Refuse requests without one of the API keys, except for the health checks."""

    def __init__(self, app: ASGIApp, *, keys: Sequence[str]) -> None:
        self._app = app
        self._keys = tuple(key.encode() for key in keys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS or self._is_known(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        error = AuthenticationError(
            "the API key is missing or wrong; send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`"
        )
        await answer_error(error, request_id=scope["state"]["request_id"])(scope, receive, send)

    def _is_known(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        given = [headers.get("X-API-Key", "")] + ([token.strip()] if scheme.lower() == "bearer" else [])
        # A list is compared whole, so the time taken doesn't tell which key was right.
        return any([hmac.compare_digest(text.encode(), key) for text in given for key in self._keys])  # noqa: C419 -- see above
