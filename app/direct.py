"""Answers the routes of the models ahead of FastAPI's routing, which takes longer than a model needs for an image."""

from collections.abc import Awaitable, Callable, Iterable

from fastapi import Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import answer_error
from app.exceptions import ServiceError
from app.exchange import Exchange, Service
from app.middleware import CLIENT_GONE

Endpoint = Callable[[Exchange], Awaitable[Response]]


class DirectMiddleware:
    """Give the endpoints of some routes their requests as they are, and send their answers as they are.

    The same routes are in FastAPI's router too, which documents them and answers wrong methods.
    """

    def __init__(self, app: ASGIApp, *, routes: Iterable[BaseRoute], service: Service) -> None:
        self._app = app
        self._service = service
        self._endpoints: dict[tuple[str, str], Endpoint] = {
            (method, route.path): route.endpoint
            for route in routes
            if isinstance(route, APIRoute)
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        endpoint = self._endpoints.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        exchange = None
        try:
            try:
                exchange = Exchange(scope, receive, service=self._service)
                response = await endpoint(exchange)
            except ServiceError as error:
                response = answer_error(error, request_id=scope["state"]["request_id"])
            except ClientDisconnect:
                response = Response(status_code=CLIENT_GONE)
            await response(scope, receive, send)
        finally:
            if exchange is not None:
                exchange.release()
