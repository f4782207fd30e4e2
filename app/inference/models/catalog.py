"""Catalog of the checkpoints in the folder: metadata of models, loaded or not. Cached until a file changes."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.inference.models.state import ModelState
from training.checkpoints.checkpoint import Checkpoint, load_checkpoint
from training.checkpoints.companion_file import read_companion
from training.checkpoints.model_files import ModelFile, list_models, locate
from training.checkpoints.snapshots import list_snapshots, load_epoch
from training.checkpoints.summary import summarize
from training.config import ModelConfig
from training.errors import CheckpointError


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """The metadata of one model."""

    checkpoint_id: str | None = None
    config: ModelConfig | None = None
    dataset: str | None = None
    """Display name."""

    metrics: dict[str, Any] | None = None
    has_companion: bool = False
    snapshots: tuple[tuple[int, float], ...] = ()
    """Epoch and validation ELBO of each snapshot, the earliest first."""

    reason: str | None = None
    """Why the file can't be read; None if it can."""


def load_served(path: Path, epoch: int | None = None) -> Checkpoint:
    """Return a checkpoint file's content; with an epoch, the snapshot of its run.

    Raises:
        CheckpointError: It can't be read; if the folder has models of other names only, the message names them.
    """
    model = locate(path)
    names = ",".join(other.name for other in list_models(model.checkpoints, model.framework))
    if names and not path.exists():
        raise CheckpointError(
            f"{path}: there is no such file; its folder has {names.replace(',', ', ')}: serve with --models {names} "
            "(TRIPTYCH_MODELS), whose first name is the default model"
        )
    return load_epoch(path, epoch)


def describe_model(model: ModelFile, state: ModelState | None) -> CatalogEntry:
    """Return the metadata of the checkpoint that is served, or else of the file."""
    loaded = state.model if state else None
    entry = _read_entry(model.path, _fingerprint(model.path)) if loaded is None else _describe(loaded.checkpoint)
    if entry.checkpoint_id is None:
        return entry
    has_companion = _belongs(model, entry.checkpoint_id, _fingerprint(model.companion))
    snapshots = _read_snapshots(model, entry.checkpoint_id, _fingerprint(model.snapshots))
    return replace(entry, has_companion=has_companion, snapshots=snapshots)


def _fingerprint(path: Path) -> tuple[int, ...]:
    """Return numbers that change when the file is replaced; none if there is no file."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns


@lru_cache(maxsize=4096)
def _read_entry(path: Path, _file: tuple[int, ...]) -> CatalogEntry:
    try:
        return _describe(load_checkpoint(path))
    except CheckpointError as error:
        return CatalogEntry(reason=str(error).replace(str(path), f"{path.parent.name}/{path.name}"))


@lru_cache(maxsize=4096)
def _belongs(model: ModelFile, checkpoint_id: str, fingerprint: tuple[int, ...]) -> bool:
    try:
        return bool(fingerprint) and bool(read_companion(model, checkpoint_id=checkpoint_id))
    except CheckpointError:
        return False


@lru_cache(maxsize=4096)
def _read_snapshots(
    model: ModelFile, checkpoint_id: str, fingerprint: tuple[int, ...]
) -> tuple[tuple[int, float], ...]:
    return tuple(list_snapshots(model, checkpoint_id=checkpoint_id).items()) if fingerprint else ()


def _describe(checkpoint: Checkpoint) -> CatalogEntry:
    return CatalogEntry(checkpoint.id, checkpoint.model, summarize(checkpoint).dataset, dict(checkpoint.metrics))
