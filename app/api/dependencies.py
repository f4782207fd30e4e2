"""Dependencies of the routes: the application's parts, such as registry and keys, and a request's context."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request

from app.api.request_context import RequestContext
from app.api_keys import ApiKeys
from app.inference.models.registry import Registry
from app.observability.metrics import Metrics
from app.reload import Reloader
from app.settings import Settings


def _state(name: str) -> Callable[[Request], Awaitable[Any]]:
    # A coroutine because FastAPI would run a plain function in a thread.
    async def get(request: Request) -> Any:
        return getattr(request.app.state, name)

    return get


async def _open_context(request: Request) -> AsyncIterator[RequestContext]:
    context = RequestContext(request.scope, request.receive, services=request.app.state.services)
    try:
        yield context
    finally:
        context.release()


RegistryDep = Annotated[Registry, Depends(_state("registry"))]
KeysDep = Annotated[ApiKeys, Depends(_state("keys"))]
ReloaderDep = Annotated[Reloader, Depends(_state("reloader"))]
SettingsDep = Annotated[Settings, Depends(_state("settings"))]
ContextDep = Annotated[RequestContext, Depends(_open_context)]
"""Reads a body with the limits of time and memory that model routes have."""

MetricsDep = Annotated[Metrics, Depends(_state("metrics"))]
