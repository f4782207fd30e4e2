"""What routes get from the application: its settings, its registry and its metrics."""

from typing import Annotated

from fastapi import Depends, Request

from app.inference.registry import Registry
from app.metrics import Metrics
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


SettingsDep = Annotated[Settings, Depends(get_settings)]
RegistryDep = Annotated[Registry, Depends(get_registry)]
MetricsDep = Annotated[Metrics, Depends(get_metrics)]
