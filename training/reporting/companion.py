"""Companion files beside checkpoints: test images, their latent means, a map of the latent space. Serves nothing.

The page reads them. Models are trained independently, so their latent axes don't correspond; but a
linear map between their means, fitted on the validation split, explains most of the variance.
"""

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Float32, UInt8
from numpy import ndarray
from PIL import Image

from training import numpy_model
from training.checkpoints.checkpoint import Checkpoint, load_checkpoint
from training.checkpoints.companion_file import FORMAT
from training.checkpoints.model_card import write_cards
from training.checkpoints.model_files import ModelFile, list_models, locate
from training.checkpoints.safetensors_file import replace_file
from training.checkpoints.summary import summarize
from training.data import TEST_SEED, Dataset, binarize
from training.errors import CheckpointError, DataError
from training.frameworks import FRAMEWORKS

_PIXELS: Final = 400_000
"""Approximate total pixels of the examples: a few hundred KiB."""

_FEWEST: Final = 60
_MOST: Final = 500

_MOST_ENCODED: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A model and its latent means of the data set."""

    checkpoint: Checkpoint
    validation: Float32[ndarray, "n latent"]
    test: Float32[ndarray, "m latent"]
    """Latent means of the test images, whose log variances are `logvar`."""

    logvar: Float32[ndarray, "m latent"]


def write_documents(path: Path, dataset: Dataset) -> None:
    """Write the companion files of a trained checkpoint and its siblings, and its folder's model card.

    Raises:
        CheckpointError: A file can't be written.
    """
    write_companions(locate(path), dataset)
    write_cards(path.parent)


def write_companions(model: ModelFile, dataset: Dataset) -> list[Path]:
    """Write the companion of a model, and of the models of that name that other frameworks trained on the same data.

    Raises:
        CheckpointError: The model can't be read, or a file can't be written.
        DataError: The data set's images haven't the model's shape.
    """
    checkpoint = load_checkpoint(model.path)
    if dataset.image_shape != checkpoint.model.image_shape:
        raise DataError(
            f"{dataset.name} has images of {dataset.image_shape}: expected {checkpoint.model.image_shape}, "
            "as the model has; name the data set that it was trained on"
        )
    family = {model.framework: _encode(checkpoint, dataset)}
    for framework in FRAMEWORKS:
        for other in list_models(model.checkpoints, framework):
            if other.name == model.name and framework not in family:
                family |= _encode_sibling(other, checkpoint, dataset)
    written = []
    for framework in family:
        path = ModelFile(model.checkpoints, framework, model.name).companion
        content = json.dumps(_describe(framework, family, dataset), separators=(",", ":"))
        replace_file(path, f"{content}\n".encode())
        written.append(path)
    return written


def _encode_sibling(model: ModelFile, checkpoint: Checkpoint, dataset: Dataset) -> dict[str, _Encoded]:
    """Return a model by its framework if it was trained on the same data as the checkpoint, or else nothing."""
    try:
        other = load_checkpoint(model.path)
    except CheckpointError:
        return {}
    hashes = [member.training.get("data_sha256") for member in (checkpoint, other)]
    is_same = other.model.image_shape == checkpoint.model.image_shape and (
        hashes[0] == hashes[1] if all(hashes) else summarize(other).dataset == summarize(checkpoint).dataset
    )
    return {model.framework: _encode(other, dataset)} if is_same else {}


def _encode(checkpoint: Checkpoint, dataset: Dataset) -> _Encoded:
    validation, _ = _means(checkpoint, dataset.validation)
    return _Encoded(checkpoint, validation, *_means(checkpoint, dataset.test))


def _means(checkpoint: Checkpoint, images: UInt8[ndarray, "n pixels"]) -> tuple[ndarray, ndarray]:
    drawn = binarize(images[:_MOST_ENCODED], target="dynamic", seed=TEST_SEED)
    return numpy_model.encode(checkpoint.weights, drawn)


def _describe(framework: str, family: Mapping[str, _Encoded], dataset: Dataset) -> dict[str, Any]:
    own = family[framework]
    count = min(max(_PIXELS // own.checkpoint.model.image_dim, _FEWEST), _MOST, len(dataset.test))
    means = own.test[:count]
    return {
        "format": FORMAT,
        "framework": framework,
        "checkpoint": own.checkpoint.id,
        "dataset": summarize(own.checkpoint).dataset,
        "image_shape": list(own.checkpoint.model.image_shape),
        "latent_dim": own.checkpoint.model.latent_dim,
        "examples": _describe_examples(dataset, count),
        "means": _rounded(means, 3),
        "kl": _rounded(numpy_model.kl_by_dimension(own.test, own.logvar).mean(axis=0), 3),
        "map": _describe_map(own.test, means),
        "to": {name: _fit(own, other) for name, other in family.items() if name != framework},
    }


def _describe_examples(dataset: Dataset, count: int) -> dict[str, Any]:
    """Return the first test images as one PNG image of rows and columns, and their labels."""
    height, width = dataset.image_shape
    columns = min(25, count)
    rows = -(-count // columns)
    tiles = np.zeros((rows * columns, height, width), np.uint8)
    tiles[:count] = dataset.test[:count].reshape(count, height, width)
    mosaic = tiles.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)
    file = io.BytesIO()
    Image.fromarray(mosaic).save(file, "PNG", optimize=True)
    labels = dataset.test_labels
    return {
        "count": count,
        "columns": columns,
        "labels": None if labels is None else labels[:count].tolist(),
        "png": base64.b64encode(file.getvalue()).decode(),
    }


def _describe_map(test: Float32[ndarray, "n latent"], examples: Float32[ndarray, "m latent"]) -> dict[str, Any] | None:
    """Return the two principal components of the test images' means; None where there is less than a plane."""
    if test.shape[1] < 2 or len(test) < 3:
        return None
    center = test.mean(axis=0, dtype=np.float64)
    # The covariance's eigenvectors, the largest eigenvalue last; the sign of each is arbitrary, and fixed here.
    variances, vectors = np.linalg.eigh(np.cov(test.astype(np.float64), rowvar=False))
    axes = vectors[:, [-1, -2]].T
    axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])[:, np.newaxis]
    return {
        "points": _rounded((examples - center) @ axes.T, 2),
        "center": _rounded(center, 4),
        "axes": _rounded(axes, 4),
        "explained": _rounded(variances[[-1, -2]] / max(variances.sum(), 1e-12), 3),
    }


def _fit(source: _Encoded, target: _Encoded) -> dict[str, Any]:
    """Return the linear map from one model's latent space to another's, and the share of the variance it explains."""
    design = np.column_stack([source.validation, np.ones(len(source.validation))])
    solution = np.linalg.lstsq(design, target.validation, rcond=None)[0]
    predicted = np.column_stack([source.test, np.ones(len(source.test))]) @ solution
    residual = ((target.test - predicted) ** 2).sum()
    total = ((target.test - target.test.mean(axis=0)) ** 2).sum()
    return {
        "checkpoint": target.checkpoint.id,
        "matrix": _rounded(solution[:-1].T, 3),
        "offset": _rounded(solution[-1], 3),
        "explained": round(float(1 - residual / max(total, 1e-12)), 3),
    }


def _rounded(array: Float[ndarray, "*shape"], digits: int) -> list[Any]:
    values: list[Any] = np.round(array.astype(np.float64), digits).tolist()
    return values
