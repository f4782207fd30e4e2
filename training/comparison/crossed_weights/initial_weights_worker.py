"""The initial weights that a framework's trainer draws for a seed."""

from typing import Any

import numpy as np

from training.comparison.subset import take_images
from training.config import PRESETS, ModelConfig
from training.data import TRAIN_SEED, binarize, load_dataset
from training.frameworks import import_trainer


def run(framework: str, *, preset: str, device: str, out: str) -> dict[str, Any]:
    """Write the weights to `out`, an npz file, by their names in a checkpoint; return an empty result."""
    config = PRESETS[preset]
    mnist = take_images(load_dataset("mnist"), config.batch_size, 1)
    images = binarize(mnist.train, target=config.target, seed=TRAIN_SEED)
    model = ModelConfig(image_shape=mnist.image_shape)
    trainer = import_trainer(framework, "train").Trainer(model, config, images, device=device)
    np.savez(out, **trainer.weights())
    return {}
