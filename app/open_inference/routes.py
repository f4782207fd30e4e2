"""The routes under /v2: an ASGI application ahead of FastAPI's, whose errors have another form than the protocol's."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from re import Pattern
from typing import Final

from fastapi import Response
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.request_context import RequestContext
from app.api.services import Services
from app.errors import NotFoundError, ServiceError
from app.inference.models.readiness import require_model_ready, require_ready
from app.observability.request_ids import CLIENT_CLOSED_REQUEST
from app.open_inference import repository
from app.open_inference.catalog import ModelName, find_model
from app.open_inference.errors import is_protocol_path, protocol_error_response
from app.open_inference.execution import infer
from app.open_inference.query import INFER_ADVICE, refuse_query
from app.route_path import route_path

EXTENSIONS: Final = ("binary_tensor_data", "parameters", "model_repository", "model_configuration")

Parameters = Mapping[str, str]


class OpenInferenceRoutes:
    """Respond to requests whose path is the protocol's, and pass all others on."""

    def __init__(self, app: ASGIApp, *, services: Services, version: str) -> None:
        self._app = app
        self._services = services
        self._version = version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not is_protocol_path(route_path(scope)):
            await self._app(scope, receive, send)
            return
        context = None
        try:
            try:
                route, parameters = _find_route(route_path(scope))
                scope["route"] = route  # the metrics' label
                if scope["method"] != route.method:
                    response = _wrong_method(scope["method"], route)
                else:
                    context = RequestContext(scope, receive, services=self._services)
                    refuse_query(scope["query_string"], advice=route.query_advice)
                    response = await route.endpoint(self, context, parameters)
            except ServiceError as error:
                scope["state"]["error"] = error
                response = protocol_error_response(error, request_id=scope["state"]["request_id"])
            except ClientDisconnect:
                response = Response(status_code=CLIENT_CLOSED_REQUEST)
            await response(scope, receive, send)
        finally:
            if context is not None:
                context.release()

    async def describe_server(self, _context: RequestContext, _: Parameters) -> Response:
        """Return name, version and extensions."""
        return _json_response({"name": "triptych", "version": self._version, "extensions": EXTENSIONS})

    async def check_live(self, context: RequestContext, _: Parameters) -> Response:
        """Return 200, regardless of the models' states."""
        return _health_response(context, "live")

    async def check_ready(self, context: RequestContext, _: Parameters) -> Response:
        """Return 200 if every model is ready."""
        require_ready(self._services.registry)
        return _health_response(context, "ready")

    async def describe_model(self, _context: RequestContext, parameters: Parameters) -> Response:
        """Return a model's metadata."""
        name = self._find(parameters)
        model = await self._services.registry.get_or_load(name.framework, name.model)
        return _json_response(name.describe(model.adapter.model))

    async def configure_model(self, _context: RequestContext, parameters: Parameters) -> Response:
        """Return a model's configuration."""
        name = self._find(parameters)
        model = await self._services.registry.get_or_load(name.framework, name.model)
        return _json_response(name.configure(model.adapter.model, self._services.limits))

    async def check_model_ready(self, _context: RequestContext, parameters: Parameters) -> Response:
        """Return 200 if the model is ready."""
        name = self._find(parameters)
        require_model_ready(self._services.registry, name.framework, name.model)
        return Response()

    async def infer(self, context: RequestContext, parameters: Parameters) -> Response:
        """Return the model's outputs."""
        return await infer(context, self._find(parameters), url_name=parameters["model"])

    async def list_repository(self, context: RequestContext, _: Parameters) -> Response:
        """Return every model with its state."""
        body = await context.read_body()
        return _json_response(await asyncio.to_thread(repository.list_repository, self._services.registry, body))

    async def load(self, context: RequestContext, parameters: Parameters) -> Response:
        """Load a model's checkpoint again."""
        name = self._find(parameters)
        await repository.load(self._services.registry, self._services.settings, name, await context.read_body())
        return Response()

    async def unload(self, context: RequestContext, parameters: Parameters) -> Response:
        """Stop serving a model's checkpoint."""
        name = self._find(parameters)
        await repository.unload(self._services.registry, self._services.settings, name, await context.read_body())
        return Response()

    def _find(self, parameters: Parameters) -> ModelName:
        return find_model(parameters["model"], parameters.get("version"), self._services.registry)


Endpoint = Callable[[OpenInferenceRoutes, RequestContext, Parameters], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    path: str
    endpoint: Endpoint
    query_advice: str = "send the request without a query"
    """The end of the message for a request with query parameters, all of which are unknown."""

    regex: Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "regex", compile_path(self.path)[0])


def _of_model(method: str, suffix: str, endpoint: Endpoint, **options: str) -> tuple[_Route, _Route]:
    paths = (f"/v2/models/{{model}}{suffix}", f"/v2/models/{{model}}/versions/{{version}}{suffix}")
    return _Route(method, paths[0], endpoint, **options), _Route(method, paths[1], endpoint, **options)


_ROUTES: Final = (
    *_of_model("POST", "/infer", OpenInferenceRoutes.infer, query_advice=INFER_ADVICE),
    *_of_model("GET", "/ready", OpenInferenceRoutes.check_model_ready),
    *_of_model("GET", "", OpenInferenceRoutes.describe_model),
    *_of_model("GET", "/config", OpenInferenceRoutes.configure_model),
    _Route("GET", "/v2/health/live", OpenInferenceRoutes.check_live),
    _Route("GET", "/v2/health/ready", OpenInferenceRoutes.check_ready),
    _Route("GET", "/v2", OpenInferenceRoutes.describe_server),
    _Route(
        "POST",
        "/v2/repository/index",
        OpenInferenceRoutes.list_repository,
        query_advice='the option ready goes into the body, as {"ready": true}',
    ),
    _Route("POST", "/v2/repository/models/{model}/load", OpenInferenceRoutes.load),
    _Route("POST", "/v2/repository/models/{model}/unload", OpenInferenceRoutes.unload),
)


def _find_route(path: str) -> tuple[_Route, Parameters]:
    for route in _ROUTES:
        if match := route.regex.fullmatch(path):
            return route, match.groupdict()
    paths = ", ".join(route.path for route in _ROUTES)
    raise NotFoundError(f"there is no such route; there are {paths}")


def _wrong_method(method: str, route: _Route) -> Response:
    response = _json_response({"error": f"{method} is not a method of this route: use {route.method}"})
    response.status_code = 405
    response.headers["Allow"] = "GET, HEAD" if route.method == "GET" else route.method
    return response


def _json_response(value: object) -> Response:
    return Response(json.dumps(value), media_type="application/json")


def _health_response(context: RequestContext, word: str) -> Response:
    # Triton's client sends no Accept header, and drops a connection after a response with a body; KServe's needs one.
    return _json_response({word: True}) if context.header(b"accept") else Response()
