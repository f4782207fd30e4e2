"""Maps errors to HTTP: one table of statuses, and handlers that respond with RFC 9457 problem documents."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.errors import (
    AuthenticationError,
    DeadlinePassedError,
    FieldError,
    ForbiddenError,
    FrameworkUnavailableError,
    InvalidValueError,
    MalformedBodyError,
    NotAcceptableError,
    NotFoundError,
    OverloadedError,
    RateLimitError,
    ReloadError,
    RetryLaterError,
    ServiceError,
    SlowBodyError,
    TooLargeError,
    UnsupportedContentError,
)
from app.observability.request_ids import CLIENT_CLOSED_REQUEST
from app.route_path import route_path

PROBLEM_JSON: Final = "application/problem+json"

STATUSES: Final[Mapping[type[ServiceError], int]] = {
    MalformedBodyError: 400,
    AuthenticationError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    NotAcceptableError: 406,
    SlowBodyError: 408,
    ReloadError: 409,
    TooLargeError: 413,
    UnsupportedContentError: 415,
    InvalidValueError: 422,
    OverloadedError: 429,
    RateLimitError: 429,
    FrameworkUnavailableError: 503,
    DeadlinePassedError: 504,
}

# The phrases of RFC 9110, which `type: about:blank` requires; Python's own change with its version.
TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def add_error_handlers(app: FastAPI) -> None:
    """Register the handlers that respond to errors with problem documents."""
    app.add_exception_handler(ServiceError, _handle_service_error)
    app.add_exception_handler(ClientDisconnect, _handle_disconnect)
    app.add_exception_handler(HTTPException, _handle_http_exception)
    app.add_exception_handler(Exception, _handle_unknown_error)


def problem_response(
    status: int,
    detail: str,
    *,
    request_id: str,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem document."""
    document = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "errors": [{"where": error.where, "why": error.why} for error in errors],
        "request_id": request_id,
    }
    # The standard library escapes what UTF-8 can't hold, such as half of a surrogate pair that a client sent.
    return Response(json.dumps(document), status, headers, media_type=PROBLEM_JSON)


def find_status(error: ServiceError) -> int:
    """Return the status of an error: that of its nearest ancestor in the table."""
    return next((STATUSES[base] for base in type(error).__mro__ if base in STATUSES), 500)


def error_response(error: ServiceError, *, request_id: str) -> Response:
    """Return the problem document of an error of the service."""
    status = find_status(error)
    headers = {}
    if isinstance(error, RetryLaterError):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, AuthenticationError):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, SlowBodyError):
        headers["Connection"] = "close"
    errors = error.errors if isinstance(error, (InvalidValueError, ReloadError)) else ()
    return problem_response(status, str(error), request_id=request_id, errors=errors, headers=headers)


def internal_error_response(*, request_id: str) -> Response:
    """Return the problem document of an unexpected error."""
    return problem_response(
        500, "the server failed to respond; its log says more under this request_id", request_id=request_id
    )


async def _handle_service_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    request.state.error = error
    return error_response(error, request_id=request.state.request_id)


async def _handle_disconnect(_request: Request, _error: Exception) -> Response:
    return Response(status_code=CLIENT_CLOSED_REQUEST)


async def _handle_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = str(error.detail)
    headers = dict(error.headers or {})
    paths = list(request.app.openapi()["paths"])
    if error.status_code == 404:
        without_slash = route_path(request.scope).rstrip("/")
        meant = f"there are {', '.join(paths)}"
        if without_slash in paths:
            meant = f"without the slash at the end there is {without_slash}"
        detail = f"there is no such route; {meant}; /docs shows them all with examples"
    if error.status_code == 405:
        methods = headers.get("Allow", "").split(", ")
        allowed = ", ".join(sorted({*methods, *(["HEAD"] if "GET" in methods else [])}))
        headers["Allow"] = allowed
        hint = " (curl -T sends PUT: add -X POST)" if request.method == "PUT" and "POST" in allowed else ""
        detail = f"{request.method} is not a method of this route; use {allowed}{hint}; /docs shows how"
    return problem_response(error.status_code, detail, request_id=request.state.request_id, headers=headers)


async def _handle_unknown_error(request: Request, _error: Exception) -> Response:
    # `RequestHandler` logs it: Starlette raises it again.
    return internal_error_response(request_id=request.state.request_id)
