"""The state file of a run, from which it resumes exactly; not the model's checkpoint. Imports no framework."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy import ndarray

from training.checkpoints.checkpoint import weight_shapes
from training.checkpoints.safetensors_file import (
    DIGEST,
    advise,
    check_finite,
    check_shapes,
    check_types,
    digest,
    read_content,
    read_header,
    read_json,
    read_tensors,
    replace_file,
)
from training.config import ModelConfig, TrainConfig
from training.engine.trainer import TrainerState
from training.errors import CheckpointError, ConfigError

FORMAT = "triptych-state-1"

STATE_FILE = "state.safetensors"
"""Name of the state file, beside the checkpoint."""

_ADVICE = "start again with --overwrite"

_PARTS = ("weights", "ema_weights", "first_moments", "second_moments")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """State of a run after an epoch. Image order and noise of an epoch depend only on the seed and its number."""

    trainer: TrainerState
    """The state of the framework's trainer."""

    run: str
    """Random ID of the run, which distinguishes it from other runs in the same folder."""

    epoch: int
    """Number of completed epochs."""

    finished: bool
    """True once all epochs are done and the test metrics are in the checkpoint."""

    framework: str
    framework_version: str
    device: str
    model: ModelConfig
    config: TrainConfig

    data_sha256: str
    """SHA-256 of the images."""

    seconds: float
    """Wall time of the run so far, in seconds."""

    environment: dict[str, Any] = field(default_factory=dict)
    """Cores, threads, processor and versions, on which the last digits of a result depend; empty in older files."""

    origin: dict[str, Any] = field(default_factory=dict)
    """The checkpoint's further metadata, such as `invert`; empty in older files."""

    snapshots: Sequence[int] | None = None
    """Epochs whose weights are kept beside the checkpoint; None in older files."""

    best: Mapping[str, Any] = field(default_factory=dict)
    """Metrics of the best epoch so far, whose weights are in the checkpoint; empty before the first."""


def save_training_state(path: Path, state: TrainingState) -> None:
    """Write the file atomically, unless a newer state is there; epoch 0 replaces any state.

    Raises:
        CheckpointError: Another run has started in the folder, a number isn't finite, or the file can't be written.
    """
    saved_state = peek_training_state(path)
    if saved_state is not None and state.epoch > 0:
        if saved_state["run"] != state.run:
            raise CheckpointError(
                f"{path}: expected this run's state, found another run's, started here meanwhile; "
                "choose another folder for each run"
            )
        if (saved_state["epoch"], saved_state["finished"]) >= (state.epoch, state.finished):
            return
    tensors = _join(state.trainer)
    expected = _layout(state.model)
    check_shapes(
        path,
        {name: array.shape for name, array in tensors.items()},
        {name: shape for name, (_, shape) in expected.items()},
    )
    check_finite(path, tensors)
    description = {
        "run": state.run,
        "epoch": state.epoch,
        "finished": state.finished,
        "framework": state.framework,
        "framework_version": state.framework_version,
        "device": state.device,
        "model": state.model.to_json(),
        "config": state.config.to_json(),
        "data_sha256": state.data_sha256,
        "seconds": state.seconds,
        "environment": state.environment,
        "origin": state.origin,
        "snapshots": state.snapshots,
        "best": dict(state.best),
    }
    metadata = {"format": FORMAT, "state": json.dumps(description), DIGEST: digest(tensors)}
    replace_file(path, safetensors.numpy.save(tensors, metadata))


def load_training_state(path: Path) -> TrainingState:
    """Read and validate a state file.

    Raises:
        CheckpointError: It can't be read, is damaged, or isn't a training state of this project.
    """
    content = read_content(path, advice=_ADVICE)
    with advise(_ADVICE):
        return _parse(path, content)


def peek_training_state(path: Path) -> dict[str, Any] | None:
    """Return the metadata of a state file, without its arrays; None if it isn't a readable state."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
            length = int.from_bytes(start, "little")
            content = start + file.read(min(length, 2**20))
            return _read_description(path, read_header(path, content, expected_format=FORMAT)[0])
    except (OSError, CheckpointError):
        return None


def _parse(path: Path, content: bytes) -> TrainingState:
    header = read_header(path, content, expected_format=FORMAT)
    values = _read_description(path, header[0])
    try:
        model = ModelConfig.from_json(values["model"])
        config = TrainConfig.from_json(values["config"])
    except ConfigError as error:
        raise CheckpointError(f"{path}: metadata 'state': {error}") from error
    if not 0 <= values["epoch"] <= config.epochs:
        raise CheckpointError(
            f"{path}: metadata 'state': epoch: expected 0 to {config.epochs}, found {values['epoch']}"
        )
    tensors = read_tensors(path, content, header, _layout(model))
    return TrainingState(trainer=_split(tensors), **(values | {"model": model, "config": config}))


def _read_description(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    values = read_json(path, metadata, "state")
    types = {
        "run": str,
        "epoch": int,
        "finished": bool,
        "framework": str,
        "framework_version": str,
        "device": str,
        "model": dict,
        "config": dict,
        "data_sha256": str,
        "seconds": float,
        "environment": dict,
        "origin": dict,
        "best": dict,
    }
    values.setdefault("environment", {})
    values.setdefault("origin", {})
    if values.get("snapshots") is not None:
        types["snapshots"] = list
    check_types(path, "state", values, types)
    return {name: values[name] for name in types}


def _layout(model: ModelConfig) -> dict[str, tuple[str, tuple[int, ...]]]:
    arrays = {f"{part}.{name}": ("F32", shape) for part in _PARTS for name, shape in weight_shapes(model).items()}
    return {"step": ("I64", ()), **arrays}


def _join(state: TrainerState) -> dict[str, ndarray]:
    # safetensors 0.8.0 silently scrambles an array that isn't C-contiguous.
    arrays = {
        f"{part}.{name}": np.ascontiguousarray(array, dtype=np.float32)
        for part in _PARTS
        for name, array in getattr(state, part).items()
    }
    return {"step": np.array(state.step, np.int64), **arrays}


def _split(tensors: Mapping[str, ndarray]) -> TrainerState:
    parts: dict[str, dict[str, ndarray]] = {part: {} for part in _PARTS}
    for key, array in tensors.items():
        part, _, name = key.partition(".")
        if name:
            parts[part][name] = array
    return TrainerState(step=int(tensors["step"]), **parts)
