"""The one checkpoint format: canonical weights and JSON metadata in a safetensors file. Imports no framework.

A file is complete or absent. Reading one runs no code and validates everything.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from training.checkpoints.safetensors_file import (
    DIGEST,
    check_finite,
    check_scalars,
    check_shapes,
    check_types,
    digest,
    read_content,
    read_header,
    read_json,
    read_tensors,
    replace_file,
)
from training.config import ModelConfig
from training.errors import CheckpointError, ConfigError

FORMAT = "triptych-vae-1"

ID_DIGITS = 12
"""Hexadecimal digits of a checkpoint's ID."""

Weights = Mapping[str, NDArray[np.float32]]
"""Arrays by canonical name; kernels are (in, out)."""

LAYERS = ("encoder.hidden", "encoder.mean", "encoder.logvar", "decoder.hidden", "decoder.logits")
"""The dense layers, in the order of the forward pass."""

WEIGHT_NAMES = tuple(f"{layer}.{part}" for layer in LAYERS for part in ("kernel", "bias"))
"""The canonical name of every array."""

_NUMBERS = frozenset(
    {"epochs", "validation_elbo", "test_images", "test_draws", "test_elbo", "test_elbo_standard_error"}
    | {"test_log_likelihood", "test_kl_divergence"}
)
"""Metrics that are compared, or formatted as numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The content of a checkpoint file: weights, architecture and metadata."""

    weights: Weights
    """Every array of `weight_shapes(model)`, float32 and finite."""

    model: ModelConfig
    """The architecture."""

    framework: str
    """The framework that trained it."""

    framework_version: str
    """Version of that framework."""

    training: Mapping[str, Any] = field(default_factory=dict)
    """Options of the run and the command that started it, as JSON values."""

    metrics: Mapping[str, Any] = field(default_factory=dict)
    """Metrics of the run, in nats and seconds, as JSON values."""

    sha256: str | None = None
    """SHA-256 of the file, in hexadecimal digits; None for a checkpoint that isn't saved yet."""

    @property
    def id(self) -> str | None:
        """ID by which companion files, histories and responses name it: the first `ID_DIGITS` of its SHA-256."""
        return self.sha256[:ID_DIGITS] if self.sha256 else None


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
    # safetensors 0.8.0 silently scrambles an array that isn't C-contiguous.
    weights = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in checkpoint.weights.items()}
    check_shapes(path, {name: array.shape for name, array in weights.items()}, weight_shapes(checkpoint.model))
    check_finite(path, weights)
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
        DIGEST: digest(weights),
    }
    content = safetensors.numpy.save(weights, metadata)
    replace_file(path, content)
    return replace(checkpoint, weights=weights, sha256=hashlib.sha256(content).hexdigest())


def load_checkpoint(path: Path) -> Checkpoint:
    """Read and validate a checkpoint file.

    Raises:
        CheckpointError: It can't be read, is damaged, or isn't a checkpoint of this project.
    """
    content = read_content(path, advice="train one with `python -m training train`, or name another folder")
    return parse_checkpoint(path, content)


def parse_checkpoint(path: Path, content: bytes) -> Checkpoint:
    """Parse and validate the bytes of a checkpoint file; `path` is for error messages.

    Raises:
        CheckpointError: It is damaged, or isn't a checkpoint of this project.
    """
    header = read_header(path, content, expected_format=FORMAT)
    metadata = header[0]
    config = read_json(path, metadata, "config")
    metrics = read_json(path, metadata, "metrics")
    try:
        model = ModelConfig.from_json(config.get("model"))
    except ConfigError as error:
        raise CheckpointError(f"{path}: metadata 'config': {error}") from error
    check_types(path, "config", config, {"framework": str, "framework_version": str, "training": dict})
    check_scalars(path, "config", config["training"])
    check_scalars(path, "metrics", metrics, numbers=_NUMBERS)
    weights = read_tensors(
        path, content, header, {name: ("F32", shape) for name, shape in weight_shapes(model).items()}
    )
    return Checkpoint(
        weights=weights,
        model=model,
        framework=config["framework"],
        framework_version=config["framework_version"],
        training=config["training"],
        metrics=metrics,
        sha256=hashlib.sha256(content).hexdigest(),
    )
