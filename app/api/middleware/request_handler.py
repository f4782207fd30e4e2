"""The ASGI callable of the service: admits a request, runs its route, renders errors, and counts the response.

Model routes get their requests here, ahead of FastAPI's routing, which takes longer than a model needs for an image.
The same routes are in FastAPI's router, which documents them and responds to wrong methods.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from http import HTTPStatus

from fastapi import Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.middleware.access import AccessControl
from app.api.middleware.cors import CorsPolicy
from app.api.request_context import RequestContext
from app.api.services import Services
from app.errors import NotFoundError, ServiceError
from app.observability.access_log import OTHER_ROUTE
from app.observability.request_ids import CLIENT_CLOSED_REQUEST
from app.problem_details import error_response, internal_error_response
from app.route_path import route_path

logger = logging.getLogger(__name__)

Endpoint = Callable[[RequestContext], Awaitable[Response]]


class RequestHandler:
    """Handles every request that the fast path doesn't."""

    def __init__(  # noqa: PLR0913 -- the parts that handle a request meet here
        self,
        app: ASGIApp,
        *,
        routes: Iterable[BaseRoute],
        model_routes: Iterable[BaseRoute],
        services: Services,
        access: AccessControl,
        cors: CorsPolicy | None,
    ) -> None:
        """`routes` are those that the metrics name, `model_routes` those whose endpoints are called directly."""
        self._app = app
        self._paths = frozenset(route.path for route in routes if isinstance(route, APIRoute))
        self._endpoints = _endpoints(model_routes)
        self._services = services
        self._access = access
        self._cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or the application's lifespan."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received = scope
        if scope["method"] == "HEAD":
            # uvicorn, whose own scope still has HEAD, leaves the body out.
            scope = {**scope, "method": "GET"}
        preflight = self._cors.preflight_response(scope) if self._cors else None
        sender = _Sender(send, scope, self._cors if preflight is None else None)
        try:
            await (preflight or self._handle)(scope, receive, sender.send)
        except Exception as error:
            scope["state"]["error"] = error
            request_id = scope["state"]["request_id"]
            logger.exception("request %s failed", request_id)
            if sender.status and not sender.is_complete:
                # The response has begun: uvicorn closes the connection, so that the client notices.
                raise
            if not sender.is_complete:
                await internal_error_response(request_id=request_id)(scope, receive, sender.send)
        finally:
            if sender.status:
                self._services.observer.complete(received, route=self._find_route(scope), status=sender.status)

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        with ExitStack() as held:
            try:
                if not route_path(scope):
                    await _redirect_below_prefix(scope)(scope, receive, send)
                    return
                self._access.check(scope)
                if route_path(scope).endswith("\n"):  # the patterns of FastAPI's routes would match without it
                    raise NotFoundError("there is no such route: the path ends in a line feed (%0A)")
                endpoint = self._endpoints.get((scope["method"], route_path(scope)))
                response = self._app
                if endpoint is not None:
                    context = RequestContext(scope, receive, services=self._services)
                    held.callback(context.release)
                    response = await endpoint(context)
            except ServiceError as error:
                scope["state"]["error"] = error
                response = error_response(error, request_id=scope["state"]["request_id"])
            except ClientDisconnect:
                response = Response(status_code=CLIENT_CLOSED_REQUEST)
            await response(scope, receive, send)

    def _find_route(self, scope: Scope) -> str:
        """Return the path template of a handled request, for metrics and logs."""
        path = route_path(scope)
        # Set by the router where the path matched a template.
        return path if path in self._paths else getattr(scope.get("route"), "path", OTHER_ROUTE)


class _Sender:
    """Wraps ASGI `send`: notes the status, and adds CORS headers."""

    def __init__(self, send: Send, scope: Scope, cors: CorsPolicy | None) -> None:
        self._send = send
        self._scope = scope
        self._cors = cors
        self.status = 0
        self.is_complete = False

    async def send(self, message: Message) -> None:
        """Send one message of ASGI."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._cors is not None:
                message["headers"] = list(message["headers"])
                self._cors.add_headers(message["headers"], self._scope["headers"])
        else:
            self.is_complete = not message.get("more_body")
        await self._send(message)


def _redirect_below_prefix(scope: Scope) -> Response:
    """Return the redirect from a path prefix to the page below it, whose links are relative."""
    query = scope["query_string"].decode("latin-1")
    return RedirectResponse(f"{scope['root_path']}/{'?' if query else ''}{query}", HTTPStatus.PERMANENT_REDIRECT)


def _endpoints(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], Endpoint]:
    """Return the endpoints of routes by method and path."""
    return {
        (method, route.path): route.endpoint
        for route in routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
