"""Snapshots of a run: weights after chosen epochs, in half precision, in a file beside the checkpoint. Trains nothing.

Half precision costs less than 0.01 nats of the test ELBO, which `tests/training/checkpoints/test_snapshots.py` holds.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from training.checkpoints.checkpoint import Checkpoint, Weights, load_checkpoint, weight_shapes
from training.checkpoints.model_files import ModelFile, locate
from training.checkpoints.safetensors_file import (
    DIGEST,
    Header,
    check_finite,
    digest,
    read_content,
    read_header,
    read_json,
    read_tensors,
    replace_file,
)
from training.config import ModelConfig
from training.errors import CheckpointError, ConfigError

FORMAT = "triptych-snapshots-1"

_ADVICE = "train again with --snapshots"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The averaged weights after an epoch; epoch 0 has the initial ones."""

    weights: Weights
    validation_elbo: float
    """Mean over the validation images, in nats per image."""


def write_snapshots(
    path: Path, model: ModelConfig, snapshots: Mapping[int, Snapshot], *, checkpoint_id: str | None
) -> None:
    """Write the snapshots by epoch atomically; `checkpoint_id` is None until the run has ended.

    Raises:
        CheckpointError: A number is beyond half precision, or the file can't be written.
    """
    tensors = {}
    with np.errstate(over="ignore"):
        for epoch, snapshot in snapshots.items():
            for name, array in snapshot.weights.items():
                tensors[f"{epoch}.{name}"] = np.ascontiguousarray(array, dtype=np.float16)
    check_finite(path, tensors)
    description = {
        "checkpoint": checkpoint_id,
        "model": model.to_json(),
        "validation_elbo": {str(epoch): snapshot.validation_elbo for epoch, snapshot in snapshots.items()},
    }
    metadata = {"format": FORMAT, "snapshots": json.dumps(description), DIGEST: digest(tensors)}
    replace_file(path, safetensors.numpy.save(tensors, metadata))


def read_snapshots(path: Path, model: ModelConfig) -> dict[int, Snapshot]:
    """Read and validate all snapshots of a model, by epoch.

    Raises:
        CheckpointError: The file can't be read, is damaged, or has another model's snapshots.
    """
    content = read_content(path, advice=_ADVICE)
    header = read_header(path, content, expected_format=FORMAT)
    description = _read_description(path, header[0])
    if description["model"] != model.to_json():
        raise CheckpointError(f"{path}: expected snapshots of {model.to_json()}, found {description['model']}")
    return _parse_snapshots(path, content, header, model, elbos=description["validation_elbo"])


def check_snapshots(content: bytes, *, checkpoint_id: str | None, name: str) -> None:
    """Raise a `CheckpointError` unless the content is the checkpoint's sound snapshots; `name` is for messages."""
    source = Path(name)
    header = read_header(source, content, expected_format=FORMAT)
    description = _read_description(source, header[0])
    if description["checkpoint"] != checkpoint_id:
        raise CheckpointError(f"{name} belongs to another checkpoint: {_ADVICE}")
    try:
        model = ModelConfig.from_json(description["model"])
    except ConfigError as error:
        raise CheckpointError(f"{name}: metadata 'snapshots': {error}") from error
    _parse_snapshots(source, content, header, model, elbos=description["validation_elbo"])


def _parse_snapshots(
    path: Path, content: bytes, header: Header, model: ModelConfig, *, elbos: Mapping[int, float]
) -> dict[int, Snapshot]:
    shapes = weight_shapes(model)
    tensors = read_tensors(
        path, content, header, {f"{epoch}.{name}": ("F16", shape) for epoch in elbos for name, shape in shapes.items()}
    )
    return {
        epoch: Snapshot({name: tensors[f"{epoch}.{name}"].astype(np.float32) for name in shapes}, elbo)
        for epoch, elbo in elbos.items()
    }


def list_snapshots(model: ModelFile, *, checkpoint_id: str | None) -> dict[int, float]:
    """Return the validation ELBO of each snapshot of a checkpoint, by epoch; empty without a file, or with another's.

    Reads the header alone.
    """
    path = model.snapshots
    try:
        with path.open("rb") as file:
            start = file.read(8)
            content = start + file.read(min(int.from_bytes(start, "little"), 2**20))
        description = _read_description(path, read_header(path, content, expected_format=FORMAT)[0])
    except (OSError, CheckpointError):
        return {}
    elbos: dict[int, float] = description["validation_elbo"]
    return elbos if checkpoint_id is not None and description["checkpoint"] == checkpoint_id else {}


def explain_missing(model: ModelFile, epoch: int, epochs: Collection[int]) -> str:
    """Return why an epoch has no snapshot, for messages; `epochs` are those that have one."""
    there = f"those of epochs {', '.join(map(str, epochs))}" if epochs else "none: leave epoch out"
    return f"{model} has no snapshot of epoch {epoch}: it has {there}"


def load_epoch(path: Path, epoch: int | None) -> Checkpoint:
    """Return a checkpoint file's content; with an epoch, the snapshot of its run. Errors are those of both."""
    checkpoint = load_checkpoint(path)
    return checkpoint if epoch is None else load_snapshot(locate(path), checkpoint, epoch)


def load_snapshot(model: ModelFile, checkpoint: Checkpoint, epoch: int) -> Checkpoint:
    """Return a checkpoint with the weights that its run had after an epoch, and that epoch's metrics.

    Raises:
        CheckpointError: There is no such snapshot, or the file is damaged.
    """
    epochs = list_snapshots(model, checkpoint_id=checkpoint.id)
    if epoch not in epochs:
        raise CheckpointError(explain_missing(model, epoch, epochs))
    snapshot = read_snapshots(model.snapshots, checkpoint.model)[epoch]
    metrics = {"epochs": epoch, "validation_elbo": snapshot.validation_elbo}
    return replace(checkpoint, weights=snapshot.weights, metrics=metrics)


def _read_description(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    values = read_json(path, metadata, "snapshots")
    try:
        elbos = {int(epoch): float(elbo) for epoch, elbo in values["validation_elbo"].items()}
        return {"checkpoint": values["checkpoint"], "model": values["model"], "validation_elbo": elbos}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: metadata 'snapshots': expected ELBO by epoch, found something else") from error
