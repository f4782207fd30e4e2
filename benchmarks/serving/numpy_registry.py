"""A registry whose models are computed by NumPy, for measurements of what the service adds to a model."""

from pathlib import Path

from app.inference.adapters.numpy_adapter import NumpyAdapter
from app.inference.models.registry import Registry
from app.settings import Settings
from training.checkpoints.checkpoint import Checkpoint
from training.checkpoints.snapshots import load_epoch


def numpy_registry(settings: Settings) -> Registry:
    """Return a registry of the frameworks in the settings, none of which has to be installed."""
    return Registry(settings, load=_load, require_installed=lambda _: None)


def _load(
    framework: str,
    *,
    path: Path,
    device: str,  # noqa: ARG001 -- as `app.inference.models.loader.Load`
    epoch: int | None = None,
) -> tuple[Checkpoint, NumpyAdapter]:
    checkpoint = load_epoch(path, epoch)
    return checkpoint, NumpyAdapter(checkpoint, framework=framework)
