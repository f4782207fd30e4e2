"""The application: settings and a registry in, an ASGI application out. Importing it loads no framework."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.codecs.limits import Limits
from app.direct import DirectMiddleware
from app.documentation import build_openapi, provenance_headers
from app.errors import add_error_handlers
from app.exchange import Service
from app.hot_path import HotPath
from app.inference.registry import Registry
from app.keys import Keys
from app.memory import Memory
from app.metrics import Metrics
from app.middleware import ApiKeyMiddleware, RequestMiddleware
from app.patience import Patience
from app.rate_limit import RateLimitMiddleware
from app.reloading import Reloader
from app.routes import admin, code, comparison, models, site, status
from app.settings import Settings


class Application:
    """FastAPI's application, behind what surrounds it and what outruns it.

    FastAPI would put our middleware inside its own, which takes longer than a model needs for an image.
    """

    def __init__(self, api: FastAPI, surrounded: ASGIApp, *, hot_path: HotPath | None) -> None:
        self.api = api
        self.hot_path = hot_path
        """For connections that can take it."""

        self.state = api.state
        self._surrounded = surrounded

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request, or live one life."""
        scope["app"] = self.api
        return self._surrounded(scope, receive, send)


def create_app(settings: Settings, registry: Registry | None = None) -> Application:
    """Return the application; it begins to load the registry's frameworks when it is started.

    Raises:
        StartupError: The file of API keys can't be read.
    """
    keys = Keys(settings)
    registry = registry or Registry(settings)
    metrics = Metrics(version=_version(), frameworks=settings.frameworks)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        registry.start(metrics.of)
        if app.state.loads_first:
            await registry.wait_until_loaded()
        yield
        registry.close()

    # FastAPI's own documentation pages fetch their scripts from the internet.
    app: FastAPI = FastAPIOffline(
        title="Triptych", version=_version(), redoc_url=None, lifespan=lifespan, redirect_slashes=False
    )
    app.state.loads_first = False
    app.state.settings = settings
    app.state.registry = registry
    app.state.metrics = metrics
    app.state.keys = keys
    app.state.reloader = Reloader(registry, keys)
    limits = Limits(
        max_body_bytes=settings.max_body_bytes,
        max_images=settings.max_images,
        max_samples=settings.max_samples,
        max_pixels=settings.max_pixels,
    )
    routers = (models.router, comparison.router, status.router, admin.router, site.router, code.router)
    for router in routers:
        app.include_router(router)
    app.mount(site.FILES_PATH, site.files)
    add_error_handlers(app)
    _describe(app, needs_key=bool(keys))
    service = Service(settings, registry, metrics, limits, Memory(max_bytes=settings.max_held_bytes), Patience())
    surrounded: ASGIApp = DirectMiddleware(
        app, routes=[*models.router.routes, *comparison.router.routes], service=service
    )
    if keys:
        surrounded = ApiKeyMiddleware(surrounded, keys=keys)
    if settings.rate_limit is not None:
        surrounded = RateLimitMiddleware(surrounded, limit=settings.rate_limit, keys=keys)
    if settings.cors_origins:
        surrounded = _allow_origins(surrounded, settings.cors_origins)
    routes = frozenset(route.path for router in routers for route in router.routes if isinstance(route, APIRoute))
    # Requests are counted by client, told to pages of other origins, or logged, by what surrounds the application only.
    is_surrounded = settings.rate_limit is not None or settings.cors_origins or settings.access_log
    return Application(
        app,
        RequestMiddleware(surrounded, metrics=metrics, routes=routes),
        hot_path=None if is_surrounded else HotPath(models.PLANNED, service=service, keys=keys),
    )


def _allow_origins(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=["Retry-After", "Server-Timing", "X-Request-ID", *provenance_headers()],
    )


def _describe(app: FastAPI, *, needs_key: bool) -> None:
    document: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not document:
            document.update(build_openapi(app, needs_key=needs_key))
        return document

    # FastAPI's documented way of changing the document: https://fastapi.tiangolo.com/how-to/extending-openapi/
    app.openapi = openapi  # type: ignore[method-assign]


def _version() -> str:
    try:
        return version("triptych")
    except PackageNotFoundError:
        return "0"  # run from a checkout that isn't installed
