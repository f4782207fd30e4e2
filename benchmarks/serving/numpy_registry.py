"""A registry whose models are computed by NumPy, for measurements of what the service adds to a model."""

from app.inference.adapters.numpy_adapter import load_numpy
from app.inference.models.registry import Registry
from app.settings import Settings


def numpy_registry(settings: Settings) -> Registry:
    """Return a registry of the frameworks in the settings, none of which has to be installed."""
    return Registry(settings, load=load_numpy, require_installed=lambda _: None)
