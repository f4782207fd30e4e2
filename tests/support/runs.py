"""Inputs and outputs of a run: small data sets, and made-up epochs and records."""

import numpy as np

from tests.support.checkpoints import make_checkpoint, make_weights
from training.config import ModelConfig, TrainConfig
from training.data import Dataset, load_dataset
from training.engine.epoch import Epoch
from training.reporting.epoch_records import epoch_record

MODEL = ModelConfig(image_shape=(5, 4), hidden_dim=6, latent_dim=3)
CONFIG = TrainConfig(epochs=40, batch_size=8, learning_rate=0.5, warmup_epochs=0)


def make_epoch(number, **changes):
    """Return an epoch of two seconds that is the best so far."""
    fields = {
        "seconds": 2.0,
        "train_elbo": -100.0 - number,
        "train_kl": 20.0 + number,
        "validation_elbo": -110.0 + number,
        "validation_kl": 21.0 + number,
        "best": True,
    }
    return Epoch(number=number, **(fields | changes))


def make_record(number, **changes):
    """Return the record of such an epoch of 20 images."""
    return epoch_record(make_epoch(number, **changes), CONFIG, train_images=20)


def make_dataset(classes=3, test=40, image_shape=MODEL.image_shape):
    """Return random images, with labels unless there are no classes."""
    generator = np.random.default_rng(0)
    parts = {"train": 20, "validation": 20, "test": test}
    pixels = image_shape[0] * image_shape[1]
    images = {part: generator.integers(0, 256, (n, pixels), np.uint8) for part, n in parts.items()}
    labels = {f"{part}_labels": (np.arange(n) % classes).astype(np.uint8) for part, n in parts.items() if classes}
    return Dataset(name="noise", image_shape=image_shape, **images, **labels)


def first_of_mnist(*, train, others):
    """Return the first images of each split of MNIST, as many as the training split and the others are to have."""
    mnist = load_dataset("mnist")
    return Dataset(
        name="mnist",
        image_shape=mnist.image_shape,
        train=mnist.train[:train],
        validation=mnist.validation[:others],
        test=mnist.test[:others],
    )


def make_trained(model=MODEL, **changes):
    """Return a checkpoint as a run leaves it."""
    weights = {name: array * np.float32(0.2) for name, array in make_weights(model).items()}
    fields = {
        "metrics": {"epochs": 2, "validation_elbo": -108.0, "test_elbo": -109.5, "test_target": "fixed"},
        "training": {"target": "dynamic", "dataset": "noise"},
    }
    return make_checkpoint(model, weights, **(fields | changes))
