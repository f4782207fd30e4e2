"""Make the page's test digits, and the map of where the committed checkpoints' encoders place them.

python docs/scripts/page_data.py

`digits.png` has the digits in rows, `first_digits.png` its first row, which the page shows at once, `digits.json` their
classes. `latent_map.json` has for each framework the two principal components of the test set's means, and linear maps
to the other frameworks' latent spaces. The models were trained separately, so that no axis of one is an axis of
another; but a linear map between their means, fitted on the last 10,000 training images, explains most of the variance.
"""

import json
from itertools import permutations
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from training import numpy_model
from training.checkpoints.checkpoint import Checkpoint, load_checkpoint
from training.data import TEST_SEED, binarize, load_dataset
from training.data.dataset import Dataset
from training.frameworks import FRAMEWORKS

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "app" / "web" / "data"
DIGITS: Final = 500
COLUMNS: Final = 25


def main() -> None:
    """Write the files."""
    dataset = load_dataset("mnist")
    height, width = dataset.image_shape
    tiles = dataset.test[:DIGITS].reshape(-1, COLUMNS, height, width).swapaxes(1, 2)
    digits = Image.fromarray(tiles.reshape(-1, COLUMNS * width))
    digits.save(FOLDER / "digits.png", optimize=True)
    digits.crop((0, 0, COLUMNS * width, height)).save(FOLDER / "first_digits.png", optimize=True)
    assert dataset.test_labels is not None, "MNIST has labels"
    _save("digits.json", {"labels": dataset.test_labels[:DIGITS].tolist()})
    _save("latent_map.json", {"frameworks": map_latents(dataset)})


def _save(name: str, content: dict[str, Any]) -> None:
    (FOLDER / name).write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


def map_latents(dataset: Dataset) -> dict[str, dict[str, Any]]:
    """Return each framework's points and axes, and the maps from its latent space to the others'."""
    checkpoints = {name: load_checkpoint(ROOT / "checkpoints" / name / "model.safetensors") for name in FRAMEWORKS}
    validation = {name: _encode(checkpoint, dataset.validation)[0] for name, checkpoint in checkpoints.items()}
    test = {name: _encode(checkpoint, dataset.test) for name, checkpoint in checkpoints.items()}
    frameworks: dict[str, dict[str, Any]] = {}
    for name, checkpoint in checkpoints.items():
        mean, logvar = test[name]
        center = mean.mean(axis=0)
        explained, axes = _principal_axes(mean)
        frameworks[name] = {
            "checkpoint": checkpoint.id,
            "points": _rounded((mean[:DIGITS] - center) @ axes.T, 2),
            "center": _rounded(center, 4),
            "axes": _rounded(axes, 4),
            "explained": _rounded(explained, 3),
            "kl": _rounded(numpy_model.kl_by_dimension(mean, logvar).mean(axis=0), 3),
            "to": {},
        }
    for source, target in permutations(FRAMEWORKS, 2):
        solution = np.linalg.lstsq(_with_ones(validation[source]), validation[target], rcond=None)[0]
        wanted = test[target][0]
        errors = wanted - _with_ones(test[source][0]) @ solution
        unexplained = np.square(errors).mean(axis=0) / wanted.var(axis=0)
        frameworks[source]["to"][target] = {
            "matrix": _rounded(solution[:-1].T, 3),
            "offset": _rounded(solution[-1], 3),
            "explained": round(1 - float(unexplained.mean()), 3),
        }
    return frameworks


def _principal_axes(mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the two axes of the largest variance, and the share of the variance along each."""
    variances, vectors = np.linalg.eigh(np.cov(mean.astype(np.float64), rowvar=False))
    axes = vectors[:, [-1, -2]].T
    # The sign of an eigenvector is arbitrary: make its largest component positive.
    axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])[:, np.newaxis]
    return variances[[-1, -2]] / variances.sum(), axes


def _with_ones(array: np.ndarray) -> np.ndarray:
    return np.column_stack([array, np.ones(len(array))])


def _encode(checkpoint: Checkpoint, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return numpy_model.encode(checkpoint.weights, binarize(images, target="dynamic", seed=TEST_SEED))


def _rounded(array: np.ndarray, digits: int) -> list[Any]:
    return np.round(array.astype(np.float64), digits).tolist()


if __name__ == "__main__":
    main()
