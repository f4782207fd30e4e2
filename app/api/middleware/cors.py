"""CORS: headers that let pages of other origins read responses, by the rules of Starlette's middleware.

Starlette's middleware wraps `send`; responses that aren't sent through ASGI need the same headers.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from fastapi import Response
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.schemas.openapi import provenance_headers
from app.codecs.error_messages import join_with_or, truncated
from app.problem_details import problem_response

RawHeaders = list[tuple[bytes, bytes]]

_METHODS: Final = ("GET", "HEAD", "POST")

_EXPOSED: Final = (
    "Accept-Encoding",
    "Allow",
    "ETag",
    "Inference-Header-Content-Length",
    "Retry-After",
    "Server-Timing",
    "WWW-Authenticate",
    "X-Request-ID",
)
"""Headers of responses that scripts may read, beside those of a response's origin and those that any script may."""


class CorsPolicy:
    """The origins whose pages may read responses."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._rules = make_middleware(_no_app, origins)
        self._simple = [(name.lower().encode(), text.encode()) for name, text in self._rules.simple_headers.items()]

    def preflight_response(self, scope: Scope) -> Response | None:
        """Return the response to a preflight request; None for all other requests."""
        if scope["method"] != "OPTIONS":
            return None
        headers = Headers(scope=scope)
        if "origin" not in headers or "access-control-request-method" not in headers:
            return None
        response = self._rules.preflight_response(request_headers=headers)
        if response.status_code == HTTPStatus.OK:
            return response
        return problem_response(
            response.status_code,
            f"the preflight request is refused: {_explain(bytes(response.body).decode(), headers)}",
            request_id=scope["state"]["request_id"],
            headers={name: value for name, value in response.headers.items() if not name.startswith("content-")},
        )

    def add_headers(self, response_headers: RawHeaders, request_headers: RawHeaders) -> None:
        """Add CORS headers to a response, and `Vary: Origin` to any, so that caches keep origins apart."""
        for header in request_headers:
            if header[0] == b"origin":
                origin = header[1]
                response_headers += self._simple
                if not self._rules.allow_all_origins and self._rules.is_allowed_origin(origin.decode("latin-1")):
                    response_headers.append((b"access-control-allow-origin", origin))
                break
        for index, (name, value) in enumerate(response_headers):
            if name == b"vary":
                response_headers[index] = (name, value + b", Origin")
                return
        response_headers.append((b"vary", b"Origin"))


def make_middleware(app: ASGIApp, origins: Sequence[str]) -> CORSMiddleware:
    """Return Starlette's middleware with the rules of the service."""
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=_METHODS,
        allow_headers=["*"],
        expose_headers=[*_EXPOSED, *provenance_headers()],
    )


def _explain(refusal: str, headers: Headers) -> str:
    """Return the reasons of a refusal by Starlette, such as `Disallowed CORS origin, method`, as a sentence."""
    reasons = {
        "origin": f"the origin is {truncated(headers['origin'])}: expected one that TRIPTYCH_CORS_ORIGINS, a setting "
        "of the server, lists; its operator can add it",
        "method": f"the method is {truncated(headers['access-control-request-method'])}: "
        f"expected {join_with_or(list(_METHODS))}",
        "private-network": "pages of public networks may not call a server in a private one: open the page from there",
    }
    names = refusal.removeprefix("Disallowed CORS ").split(", ")
    return "; ".join(reasons.get(name, f"disallowed {name}") for name in names)


async def _no_app(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("only the rules of the middleware are used")
