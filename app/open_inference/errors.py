"""Errors as clients of the protocol read them: `{"error": string}`, never compressed, and 400 for every wrong value."""

import json
from collections.abc import Sequence
from typing import Final

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import ServiceError
from app.problem_details import PROBLEM_JSON, error_response
from app.route_path import route_path

PREFIX: Final = "/v2"

Headers = Sequence[tuple[bytes, bytes]]

_STATUSES: Final = {422: 400}


def is_protocol_path(path: str) -> bool:
    """Return whether a path is one of the protocol's."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def protocol_error_response(error: ServiceError, *, request_id: str) -> Response:
    """Return the response to an error of the service."""
    return as_protocol_error(error_response(error, request_id=request_id))


def as_protocol_error(response: Response) -> Response:
    """Return a problem document's response in the protocol's form."""
    status = _STATUSES.get(response.status_code, response.status_code)
    converted = Response(_convert_body(bytes(response.body)), status)
    converted.raw_headers = _convert_headers(response.raw_headers, status, len(converted.body))
    return converted


class ProtocolErrorMiddleware:
    """Convert problem documents from outside the protocol's routes to the protocol's form."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not is_protocol_path(route_path(scope)):
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def send_converted(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_problem(message["headers"]):
                start = message
                return
            if start is None:
                await send(message)
                return
            # A problem document is one message.
            body = _convert_body(message.get("body", b""))
            headers = _convert_headers(start["headers"], start["status"], len(body))
            await send({**start, "headers": headers})
            await send({**message, "body": body})
            start = None

        await self._app(scope, receive, send_converted)


def _is_problem(headers: Headers) -> bool:
    return (b"content-type", PROBLEM_JSON.encode()) in headers


def _convert_body(document: bytes) -> bytes:
    return json.dumps({"error": json.loads(document)["detail"]}).encode()


def _convert_headers(headers: Headers, status: int, length: int) -> list[tuple[bytes, bytes]]:
    converted = [(name, value) for name, value in headers if name not in {b"content-type", b"content-length"}]
    converted += [(b"content-type", b"application/json"), (b"content-length", b"%d" % length)]
    if status == 415:
        converted.append((b"accept-encoding", b"gzip, deflate"))
    return converted
