"""Trains one framework from given initial weights to test metrics, with batches and noise drawn by NumPy."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from training.checkpoints.checkpoint import Weights
from training.comparison.config import recipe
from training.comparison.step_inputs import draw_inputs
from training.comparison.subset import take_images
from training.config import ModelConfig, TrainConfig
from training.data import TEST_SEED, Dataset, binarize, load_dataset
from training.engine.batch_order import draw_order
from training.engine.evaluation import evaluate, load_evaluator
from training.engine.run import EVALUATION_TARGET
from training.frameworks import import_backend


def run(  # noqa: PLR0913 - one for each option
    framework: str,
    *,
    weights: dict[str, str],
    preset: str,
    epochs: int | None,
    device: str,
    images: int,
    test_images: int,
    draws: int,
) -> dict[str, Any]:
    """Return the test metrics, in nats per image, of a run from each of the initial weights.

    Args:
        framework: The framework that trains.
        weights: npz files of initial weights, by the name of the framework that drew them.
        preset: The recipe.
        epochs: Epochs of each run; None for those of the preset.
        device: Where to train.
        images: Training images.
        test_images: Test images.
        draws: Draws of noise per test image.
    """
    config = recipe(preset, epochs)
    dataset = take_images(load_dataset(config.dataset), images, test_images)
    starts = {name: _load(path) for name, path in weights.items()}
    own = starts[framework]
    # The least changes possible, up and down: they show to what rounding alone grows.
    nudged = {
        name: {layer: np.nextafter(array, np.float32(infinity)) for layer, array in own.items()}
        for name, infinity in (("up", np.inf), ("down", -np.inf))
    }

    model = ModelConfig(image_shape=dataset.image_shape)
    evaluator = load_evaluator(framework, model, device=device)
    test = binarize(dataset.test, target=EVALUATION_TARGET, seed=TEST_SEED)

    def measure(start: Weights) -> dict[str, Any]:
        steps = len(dataset.train) // config.batch_size
        replay = import_backend(framework).Replay(model, config, start, steps_per_epoch=steps, device=device)
        for epoch in range(1, config.epochs + 1):
            for batch, eps in draw_batches(dataset, epoch, config, model.latent_dim):
                replay.step(batch, eps)
        return asdict(evaluate(evaluator, replay.weights(), test, draws=draws))

    return {
        "weights_of": {name: measure(start) for name, start in starts.items()},
        "nudged": {name: measure(start) for name, start in nudged.items()},
    }


def _load(path: str) -> Weights:
    with np.load(Path(path)) as arrays:
        return dict(arrays)


def draw_batches(
    dataset: Dataset, epoch: int, config: TrainConfig, latent_dim: int
) -> Iterator[tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"]]]:
    """Yield the binary images and the noise of each step of an epoch, the same for all frameworks."""
    random = np.random.default_rng((config.seed, epoch))
    for indices in draw_order(random, len(dataset.train), batch_size=config.batch_size):
        yield draw_inputs(dataset.train[indices], latent_dim, random)
