"""Dependencies of the routes: the application's registry, metrics, keys, limits and reloader."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request

from app.api_keys import ApiKeys
from app.codecs.limits import Limits
from app.inference.models.registry import Registry
from app.observability.metrics import Metrics
from app.reload import Reloader
from app.settings import Settings


def _state(name: str) -> Callable[[Request], Awaitable[Any]]:
    # A coroutine because FastAPI would run a plain function in a thread.
    async def get(request: Request) -> Any:
        return getattr(request.app.state, name)

    return get


RegistryDep = Annotated[Registry, Depends(_state("registry"))]
KeysDep = Annotated[ApiKeys, Depends(_state("keys"))]
ReloaderDep = Annotated[Reloader, Depends(_state("reloader"))]
SettingsDep = Annotated[Settings, Depends(_state("settings"))]
LimitsDep = Annotated[Limits, Depends(_state("limits"))]
MetricsDep = Annotated[Metrics, Depends(_state("metrics"))]
