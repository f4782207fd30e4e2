"""The application: settings and a registry in, an ASGI application out. Importing it loads no framework."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.deadlines import DeadlineTimer
from app.api.memory_budget import MemoryBudget
from app.api.middleware.access import AccessControl
from app.api.middleware.cors import CorsPolicy
from app.api.middleware.request_handler import RequestHandler
from app.api.routes import admin, catalog, compare, models, promotions, source_code, status, web_page
from app.api.schemas.openapi import build_openapi, operation_id
from app.api.services import Services
from app.api_keys import ApiKeys
from app.codecs.limits import Limits
from app.errors import StartupError
from app.inference.models.registry import Registry
from app.observability.metrics import Metrics
from app.observability.request_observer import RequestObserver
from app.observability.tracing import create_tracer
from app.open_inference.errors import ProtocolErrorMiddleware
from app.open_inference.fast_route import infer_routes
from app.open_inference.routes import OpenInferenceRoutes
from app.problem_details import add_error_handlers
from app.protocol.connection import BoundedConnection
from app.reload import Reloader
from app.settings import Settings

_ROUTERS: Final = tuple(
    routes.router for routes in (models, compare, status, catalog, admin, promotions, web_page, source_code)
)


class Application:
    """The ASGI application, and the protocol of its connections."""

    def __init__(self, api: FastAPI, handler: ASGIApp) -> None:
        self.api = api
        self.state = api.state
        self.new_connection: Callable[..., BoundedConnection] = BoundedConnection
        self.start_grpc: Callable[[], Awaitable[Any]] | None = None
        """Start the gRPC server and return it; None where there is to be none."""

        self._handler = handler

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one request, or the lifespan."""
        scope["app"] = self.api
        return self._handler(scope, receive, send)


def create_app(settings: Settings, registry: Registry | None = None) -> Application:
    """Return the application; it begins to load the registry's frameworks when it is started.

    Raises:
        StartupError: The file of API keys can't be read, or gRPC isn't installed but set.
    """
    services = _create_services(settings, registry or Registry(settings))
    keys = ApiKeys(settings)
    access = AccessControl(rate_limit=settings.rate_limit, keys=keys)
    cors = CorsPolicy(settings.cors_origins) if settings.cors_origins else None
    api = _create_api(services, keys)
    handler = RequestHandler(
        OpenInferenceRoutes(api, services=services, version=_version()),
        routes=[route for router in _ROUTERS for route in router.routes],
        model_routes=[*models.router.routes, *compare.router.routes],
        services=services,
        access=access,
        cors=cors,
    )
    app = Application(api, ProtocolErrorMiddleware(handler))
    if settings.fast_path:
        _add_fast_path(app, services, access, cors)
    if settings.grpc_port is not None:
        app.start_grpc = partial(_import_grpc_server().start_grpc_server, services, access, version=_version())
    return app


def _add_fast_path(app: Application, services: Services, access: AccessControl, cors: CorsPolicy | None) -> None:
    """Have connections handle small requests by themselves, unless the package was deleted: nothing else needs it."""
    try:
        from app.fast_path.connection import fast_connections  # noqa: PLC0415 -- may have been deleted
    except ModuleNotFoundError:
        return
    routes = {route.path: route for route in models.SINGLE_OPERATION_ROUTES} | infer_routes(services.registry)
    app.new_connection = fast_connections(routes, services=services, access=access, cors=cors)


def _create_services(settings: Settings, registry: Registry) -> Services:
    metrics = Metrics(version=_version(), frameworks=settings.frameworks)
    tracer = create_tracer(os.environ, version=_version())
    return Services(
        settings=settings,
        registry=registry,
        metrics=metrics,
        observer=RequestObserver(metrics, access_log=settings.access_log, tracer=tracer),
        limits=Limits(
            max_body_bytes=settings.max_body_bytes,
            max_images=settings.max_images,
            max_samples=settings.max_samples,
            max_pixels=settings.max_pixels,
        ),
        memory=MemoryBudget(max_bytes=settings.max_held_bytes),
        deadlines=DeadlineTimer(),
        disconnect_checks=DeadlineTimer(),
    )


def _create_api(services: Services, keys: ApiKeys) -> FastAPI:
    """Return FastAPI's application: all routes, their errors, and the documentation."""
    registry = services.registry

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        registry.start(services.metrics.for_framework)
        if api.state.wait_for_models:
            await registry.wait_until_loaded()
        yield
        registry.close()

    # The files of the documentation page, which FastAPI would have browsers fetch from the internet.
    api: FastAPI = FastAPIOffline(
        title="Triptych",
        version=_version(),
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    api.state.wait_for_models = False
    api.state.services = services
    api.state.settings = services.settings
    api.state.registry = registry
    api.state.metrics = services.metrics
    api.state.observer = services.observer
    api.state.keys = keys
    api.state.reloader = Reloader(registry, keys)
    for router in _ROUTERS:
        api.include_router(router)
    api.mount(web_page.FILES_PATH, web_page.files)
    api.mount(web_page.GUIDE_PATH, web_page.guide_files)
    add_error_handlers(api)
    _describe(api, needs_key=bool(keys))
    return api


def _import_grpc_server() -> Any:
    try:
        return import_module("app.open_inference.grpc_server.server")
    except ImportError as error:
        raise StartupError(
            "TRIPTYCH_GRPC_PORT (--grpc-port) is set, and gRPC isn't installed: run `pip install 'triptych[grpc]'`"
        ) from error


def _describe(api: FastAPI, *, needs_key: bool) -> None:
    document: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not document:
            document.update(build_openapi(api, needs_key=needs_key))
        return document

    # FastAPI's documented way of changing the document: https://fastapi.tiangolo.com/how-to/extending-openapi/
    api.openapi = openapi  # type: ignore[method-assign]


def _version() -> str:
    try:
        return version("triptych")
    except PackageNotFoundError:
        return "0"  # run from a checkout that isn't installed
