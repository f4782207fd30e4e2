"""Image grids as NumPy arrays: reconstructions, samples and traversals of a model. No axes, no text.

Images are probabilities or intensities from 0 (black) to 1, never logits.
"""

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Int
from numpy import ndarray
from PIL import Image

from training import numpy_model
from training.checkpoints.checkpoint import Weights
from training.config import ModelConfig
from training.data import TEST_SEED, Dataset, binarize
from training.engine.run import EVALUATION_TARGET
from training.errors import DataError

_GAP: Final = 2  # pixels between two images

_SEED: Final = 0  # of the samples: the same noise each time, so that images of two epochs can be compared

Tiles = Float32[ndarray, "rows columns height width"]


def shown_images(dataset: Dataset, model: ModelConfig, *, most: int) -> Float32[ndarray, "n pixels"]:
    """Return the first test images, binarized, as inputs for a model's figures.

    Raises:
        DataError: They haven't the model's shape.
    """
    if dataset.image_shape != model.image_shape:
        raise DataError(
            f"{dataset.name} has images of {dataset.image_shape}: expected {model.image_shape}, "
            "as the model has; name the data set that it was trained on"
        )
    return binarize(dataset.test[:most], target=EVALUATION_TARGET, seed=TEST_SEED)


def reconstruct(
    weights: Weights, images: Float32[ndarray, "n pixels"], image_shape: tuple[int, int], *, rows: int
) -> Tiles:
    """Return originals and, below each, its reconstruction: the probabilities at the mean of q(z|x).

    Args:
        weights: The model's.
        images: In [0, 1]; n is a multiple of `rows`.
        image_shape: Height and width.
        rows: Rows of originals; the result has twice as many.
    """
    mean, _ = numpy_model.encode(weights, images)
    probs = numpy_model.sigmoid(numpy_model.decode(weights, mean))
    pairs = np.stack([part.reshape(rows, -1, *image_shape) for part in (images, probs)], axis=1)
    return pairs.reshape(2 * rows, -1, *image_shape)


def sample(weights: Weights, image_shape: tuple[int, int], *, rows: int, columns: int) -> Tiles:
    """Return the probabilities of latents drawn from the prior N(0, I)."""
    latent_dim = len(weights["encoder.mean.bias"])
    z = np.random.default_rng(_SEED).standard_normal((rows * columns, latent_dim), dtype=np.float32)
    return numpy_model.sigmoid(numpy_model.decode(weights, z)).reshape(rows, columns, *image_shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traversal:
    """Effect of each latent dimension alone, the most informative first."""

    dimensions: Int[ndarray, "rows"]
    """The dimension of each row, from 0."""

    kl_divergence: Float32[ndarray, "rows"]
    """Its mean KL(q(z_i|x) || N(0, 1)), in nats per image."""

    values: Float32[ndarray, "columns"]
    """The value that it takes in each column, in standard deviations of the prior; the others are 0."""

    tiles: Tiles
    """The probabilities."""


def traverse(
    weights: Weights,
    images: Float32[ndarray, "n pixels"],
    image_shape: tuple[int, int],
    *,
    columns: int,
    most_rows: int,
) -> Traversal:
    """Decode each dimension from -3 to 3 with the others at 0, ordered by mean KL over the images."""
    divergences = numpy_model.kl_by_dimension(*numpy_model.encode(weights, images)).mean(axis=0)
    dimensions = np.argsort(-divergences, kind="stable")[:most_rows]
    values = np.linspace(-3, 3, columns, dtype=np.float32)
    z = np.zeros((len(dimensions), columns, len(divergences)), np.float32)
    for row, dimension in enumerate(dimensions):
        z[row, :, dimension] = values
    probs = numpy_model.sigmoid(numpy_model.decode(weights, z.reshape(-1, len(divergences))))
    return Traversal(
        dimensions=dimensions,
        kl_divergence=divergences[dimensions],
        values=values,
        tiles=probs.reshape(len(dimensions), columns, *image_shape),
    )


def mosaic(tiles: Tiles, *, group: int = 1) -> Float32[ndarray, "height width"]:
    """Return one image of all tiles with white gaps between them, wider ones after each `group` rows."""
    rows, columns, height, width = tiles.shape
    between = _GAP if group == 1 else 3 * _GAP
    cells = np.ones((rows, columns, height + _GAP, width + _GAP), np.float32)
    cells[:, :, :height, :width] = tiles
    groups = cells.transpose(0, 2, 1, 3).reshape(rows // group, group * (height + _GAP), -1)
    padded = np.pad(groups, ((0, 0), (0, between - _GAP), (0, 0)), constant_values=1)
    return padded.reshape(-1, padded.shape[2])[:-between, :-_GAP]


def row_centers(tiles: Tiles, *, group: int = 1) -> list[float]:
    """Return the vertical center of each row of tiles in the mosaic, in pixels."""
    rows, _, height, _ = tiles.shape
    between = _GAP if group == 1 else 3 * _GAP
    return [row * (height + _GAP) + row // group * (between - _GAP) + (height - 1) / 2 for row in range(rows)]


def encode_png(picture: Float32[ndarray, "height width"], *, scale: int) -> bytes:
    """Return a PNG file of a picture, `scale` pixels for each of its own."""
    pixels = np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels.repeat(scale, axis=0).repeat(scale, axis=1)).save(file, "PNG")
    return file.getvalue()
