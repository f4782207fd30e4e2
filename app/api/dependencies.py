"""What routes get from the application: its registry, metrics, keys and what reloads them."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request

from app.inference.registry import Registry
from app.keys import Keys
from app.metrics import Metrics
from app.reloading import Reloader


def _state(name: str) -> Callable[[Request], Awaitable[Any]]:
    # A coroutine because FastAPI would run a plain function in a thread.
    async def get(request: Request) -> Any:
        return getattr(request.app.state, name)

    return get


RegistryDep = Annotated[Registry, Depends(_state("registry"))]
KeysDep = Annotated[Keys, Depends(_state("keys"))]
ReloaderDep = Annotated[Reloader, Depends(_state("reloader"))]
MetricsDep = Annotated[Metrics, Depends(_state("metrics"))]
