"""The one checkpoint format: canonical weights and JSON metadata in a safetensors file. Imports no framework.

A file is complete or absent: it is written beside its place and moved into it.
Reading one runs no code, and believes nothing that it hasn't checked.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from training.config import ModelConfig
from training.errors import CheckpointError, ConfigError

FORMAT = "triptych-vae-1"

Weights = Mapping[str, NDArray[np.float32]]
"""Arrays by canonical name; kernels are (in, out)."""

LAYERS = ("encoder.hidden", "encoder.mean", "encoder.logvar", "decoder.hidden", "decoder.logits")
"""The dense layers, in the order of the forward pass."""

WEIGHT_NAMES = tuple(f"{layer}.{part}" for layer in LAYERS for part in ("kernel", "bias"))
"""The canonical name of every array."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A trained model as a file holds it."""

    weights: Weights
    """Every array of `weight_shapes(model)`, float32 and finite."""

    model: ModelConfig
    """The architecture."""

    framework: str
    """The framework that trained it."""

    framework_version: str
    """Its version then."""

    training: Mapping[str, Any] = field(default_factory=dict)
    """Options of the run and the command that started it, as JSON values."""

    metrics: Mapping[str, Any] = field(default_factory=dict)
    """What was measured, in nats and seconds, as JSON values."""

    sha256: str | None = None
    """SHA-256 of the file, in hexadecimal digits; None before there is one."""


def weight_shapes(model: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Return the shape of every array by its canonical name, in the order of `WEIGHT_NAMES`."""
    pixels, hidden, latent = model.image_dim, model.hidden_dim, model.latent_dim
    kernels = ((pixels, hidden), (hidden, latent), (hidden, latent), (latent, hidden), (hidden, pixels))
    shapes: list[tuple[int, ...]] = []
    for inputs, outputs in kernels:
        shapes += [(inputs, outputs), (outputs,)]
    return dict(zip(WEIGHT_NAMES, shapes, strict=True))


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> Checkpoint:
    """Write the file atomically and return the checkpoint with the file's SHA-256.

    Raises:
        CheckpointError: An array is missing, extra, of the wrong shape or not finite, or the file can't be written.
    """
    # safetensors 0.8.0 scrambles an array that isn't C-contiguous without a word.
    weights = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in checkpoint.weights.items()}
    _check_shapes(path, {name: array.shape for name, array in weights.items()}, checkpoint.model)
    _check_finite(path, weights)
    metadata = {
        "format": FORMAT,
        "config": json.dumps(
            {
                "framework": checkpoint.framework,
                "framework_version": checkpoint.framework_version,
                "model": checkpoint.model.to_json(),
                "training": dict(checkpoint.training),
            }
        ),
        "metrics": json.dumps(dict(checkpoint.metrics)),
        "weights_sha256": _digest(weights),
    }
    content = safetensors.numpy.save(weights, metadata)
    _replace_file(path, content)
    return replace(checkpoint, weights=weights, sha256=hashlib.sha256(content).hexdigest())


def ensure_writable(path: Path) -> None:
    """Make the folder of a file, and see that files can be written there; known now, an epoch isn't lost later.

    Raises:
        CheckpointError: They can't.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise CheckpointError(f"{path}: can't be written: {error.strerror}; choose another folder") from error


def load_checkpoint(path: Path) -> Checkpoint:
    """Read and check a file.

    Raises:
        CheckpointError: It can't be read, is damaged, or isn't a checkpoint of this project.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else str(error.strerror)
        raise CheckpointError(
            f"{path}: can't be read: {reason}; train one with `python -m training train`, or name another folder"
        ) from error
    metadata, tensors = _read_header(path, content)
    config = _read_json(path, metadata, "config")
    metrics = _read_json(path, metadata, "metrics")
    try:
        model = ModelConfig.from_json(config.get("model"))
    except ConfigError as error:
        raise CheckpointError(f"{path}: metadata 'config': {error}") from error
    for key, kind in (("framework", str), ("framework_version", str), ("training", dict)):
        if not isinstance(config.get(key), kind):
            raise CheckpointError(
                f"{path}: metadata 'config': {key}: expected {kind.__name__}, found {config.get(key)!r:.60}"
            )
    for name, (dtype, _) in tensors.items():
        if dtype != "F32":
            raise CheckpointError(f"{path}: tensor {name!r}: expected dtype F32, found {dtype}")
    _check_shapes(path, {name: shape for name, (_, shape) in tensors.items()}, model)
    try:
        weights = safetensors.numpy.load(content)
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{path}: not a whole safetensors file: {error}; copy or train it again") from error
    _check_finite(path, weights)
    if _digest(weights) != metadata.get("weights_sha256"):
        raise CheckpointError(
            f"{path}: the weights don't match their SHA-256: expected {metadata.get('weights_sha256')}, "
            f"found {_digest(weights)}; copy or train it again"
        )
    return Checkpoint(
        weights={name: weights[name] for name in weight_shapes(model)},
        model=model,
        framework=config["framework"],
        framework_version=config["framework_version"],
        training=config["training"],
        metrics=metrics,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _read_header(path: Path, content: bytes) -> tuple[dict[str, str], dict[str, tuple[str, tuple[int, ...]]]]:
    # The layout is fixed: 8 bytes of length, that much JSON, then the data. safetensors checks it again at load,
    # but reads metadata only from a path, and the file may have been replaced since.
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or not 2 <= length <= len(content) - 8:
        raise CheckpointError(
            f"{path}: not a whole safetensors file: expected a header of {length} bytes after the first 8, "
            f"found {max(len(content) - 8, 0)} bytes; copy or train it again"
        )
    try:
        header = json.loads(content[8 : 8 + length])
        metadata = header.pop("__metadata__")
        tensors = {name: (str(item["dtype"]), tuple(item["shape"])) for name, item in header.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CheckpointError(
            f"{path}: expected a safetensors header with metadata, found something else ({type(error).__name__}); "
            "copy or train it again"
        ) from error
    found = metadata.get("format") if isinstance(metadata, dict) else None
    if found != FORMAT:
        raise CheckpointError(f"{path}: metadata 'format': expected {FORMAT!r}, found {found!r}")
    return metadata, tensors


def _read_json(path: Path, metadata: Mapping[str, str], key: str) -> dict[str, Any]:
    text = metadata.get(key)
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise CheckpointError(f"{path}: metadata {key!r}: expected a JSON object, found {text!r:.60}")
    return value


def _check_shapes(path: Path, found: Mapping[str, tuple[int, ...]], model: ModelConfig) -> None:
    expected = weight_shapes(model)
    for name, shape in expected.items():
        if name not in found:
            raise CheckpointError(f"{path}: tensor {name!r}: expected shape {shape}, found no such tensor")
        if found[name] != shape:
            raise CheckpointError(f"{path}: tensor {name!r}: expected shape {shape}, found {found[name]}")
    for name in found:
        if name not in expected:
            raise CheckpointError(f"{path}: tensor {name!r}: expected only {', '.join(expected)}, found one more")


def _check_finite(path: Path, weights: Weights) -> None:
    for name, array in weights.items():
        if not np.isfinite(array).all():
            count = int(np.count_nonzero(~np.isfinite(array)))
            raise CheckpointError(f"{path}: tensor {name!r}: expected finite numbers, found {count} that aren't")


def _digest(weights: Weights) -> str:
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].data)
    return digest.hexdigest()


def _replace_file(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).chmod(0o644)  # temporary files are private; a server may run as another user
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise CheckpointError(f"{path}: can't be written: {error.strerror}") from error
