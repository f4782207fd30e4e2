"""Says whether a model that isn't loaded could be: its framework, checkpoint and snapshot. Loads nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.errors import NotFoundError
from app.inference.models.catalog import describe_model
from app.inference.models.state import ModelKey, ModelState, Status
from training.checkpoints.model_files import ModelFile, list_models
from training.checkpoints.snapshots import explain_missing
from training.errors import FrameworkNotInstalledError


def first_state(key: ModelKey, require_installed: Callable[[str], None]) -> ModelState:
    """Return the state of a model that is to be loaded at the start, before it is."""
    try:
        require_installed(key.framework)
    except FrameworkNotInstalledError as error:
        return ModelState(key=key, status=Status.NOT_INSTALLED, reason=str(error))
    return ModelState(key=key, status=Status.LOADING, reason=f"{key} is loading; try again in a few seconds")


def state_on_demand(key: ModelKey, default: ModelState, checkpoints: Path) -> ModelState:
    """Return the state of a model that isn't loaded; `default` is that of its framework's default model.

    Raises:
        NotFoundError: There is no such checkpoint.
    """
    if default.status is Status.NOT_INSTALLED:
        return replace(default, key=key)
    if not ModelFile(checkpoints, key.trained_by, key.name).path.exists():
        names = [model.name for model in list_models(checkpoints, key.trained_by)]
        raise NotFoundError(f"{key.trained_by} has no model {key.name!r}: it has {', '.join(names) or 'none'}")
    return ModelState(key=key, status=Status.AVAILABLE, reason=f"{key} is not loaded yet: send it a request")


def require_snapshot(key: ModelKey, checkpoints: Path) -> None:
    """Check that the checkpoint of a key has the snapshot of its epoch, if it names one; reads files.

    Raises:
        NotFoundError: It has none; the message lists those that there are.
    """
    if key.epoch is None:
        return
    model = ModelFile(checkpoints, key.trained_by, key.name)
    epochs = dict(describe_model(model, None).snapshots)
    if key.epoch not in epochs:
        raise NotFoundError(explain_missing(model, key.epoch, epochs))
