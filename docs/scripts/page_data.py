"""Make the page's test digits, and the map of where the committed checkpoints' encoders place them.

python docs/scripts/page_data.py

`digits.png` has the digits in rows, `first_digits.png` its first row, which the page shows at once, `digits.json` their
classes. `latent_map.json` has for each framework the two principal components of the test set's means, and linear maps
to the other frameworks' latent spaces. The models were trained separately, so that no axis of one is an axis of
another; but a linear map between their means, fitted on the validation part, explains most of the variance.
"""

import json
from itertools import permutations
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression

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
        pca = PCA(n_components=2).fit(mean)
        frameworks[name] = {
            "checkpoint": checkpoint.id,
            "points": _rounded(pca.transform(mean[:DIGITS]), 2),
            "center": _rounded(pca.mean_, 4),
            "axes": _rounded(pca.components_, 4),
            "explained": _rounded(pca.explained_variance_ratio_, 3),
            "kl": _rounded(numpy_model.kl_by_dimension(mean, logvar).mean(axis=0), 3),
            "to": {},
        }
    for one, other in permutations(FRAMEWORKS, 2):
        fit = LinearRegression().fit(validation[one], validation[other])
        explained = fit.score(test[one][0], test[other][0])
        frameworks[one]["to"][other] = {
            "matrix": _rounded(fit.coef_, 3),
            "offset": _rounded(fit.intercept_, 3),
            "explained": round(float(explained), 3),
        }
    return frameworks


def _encode(checkpoint: Checkpoint, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return numpy_model.encode(checkpoint.weights, binarize(images, target="dynamic", seed=TEST_SEED))


def _rounded(array: np.ndarray, digits: int) -> list[Any]:
    return np.round(array.astype(np.float64), digits).tolist()


if __name__ == "__main__":
    main()
