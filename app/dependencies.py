"""What routes get from the application: its settings, registry, metrics, keys and what reloads them."""

from typing import Annotated

from fastapi import Depends, Request

from app.inference.registry import Registry
from app.keys import Keys
from app.metrics import Metrics
from app.reloading import Reloader
from app.settings import Settings


# These are coroutines because FastAPI would run plain functions in a thread.
async def get_settings(request: Request) -> Settings:
    """Return the settings that the application was made with."""
    settings: Settings = request.app.state.settings
    return settings


async def get_registry(request: Request) -> Registry:
    """Return the frameworks that the application serves."""
    registry: Registry = request.app.state.registry
    return registry


async def get_metrics(request: Request) -> Metrics:
    """Return what the application counts with."""
    metrics: Metrics = request.app.state.metrics
    return metrics


async def get_keys(request: Request) -> Keys:
    """Return the API keys that clients must send one of."""
    keys: Keys = request.app.state.keys
    return keys


async def get_reloader(request: Request) -> Reloader:
    """Return what reads checkpoints and keys again."""
    reloader: Reloader = request.app.state.reloader
    return reloader


SettingsDep = Annotated[Settings, Depends(get_settings)]
RegistryDep = Annotated[Registry, Depends(get_registry)]
KeysDep = Annotated[Keys, Depends(get_keys)]
ReloaderDep = Annotated[Reloader, Depends(get_reloader)]
MetricsDep = Annotated[Metrics, Depends(get_metrics)]
