"""Metrics of an epoch as JSON values: the same on stdout, in `metrics.jsonl` and in TensorBoard."""

import math
from typing import Final, TypeGuard

from training.config import TrainConfig
from training.engine.epoch import Epoch
from training.engine.lr_schedule import learning_rates

Record = dict[str, int | float | bool]


_NUMBERS: Final = (
    "seconds",
    *(f"{part}_{name}" for part in ("train", "validation") for name in ("elbo", "kl_divergence")),
)
"""Numbers of a record that figures are drawn from."""


def is_record(value: object) -> TypeGuard[Record]:
    """Return whether a JSON value is an epoch's record: its number, and finite metrics."""
    return (
        isinstance(value, dict)
        and type(value.get("epoch")) is int
        and all(type(value.get(name)) in {int, float} and math.isfinite(value[name]) for name in _NUMBERS)
    )


def epoch_record(epoch: Epoch, config: TrainConfig, *, train_images: int) -> Record:
    """Return an epoch's metrics by name: ELBO and KL in nats per image, training images per second.

    Args:
        epoch: The finished epoch.
        config: Hyperparameters of the run.
        train_images: Images in the training split; an epoch leaves out those that don't fill a batch.
    """
    steps = train_images // config.batch_size
    rates = learning_rates(config, steps_per_epoch=steps)
    return {
        "epoch": epoch.number,
        "seconds": round(epoch.seconds, 4),
        "images_per_second": round(steps * config.batch_size / epoch.seconds, 1),
        "learning_rate": float(rates[epoch.number * steps - 1]),
        "train_elbo": epoch.train_elbo,
        "train_kl_divergence": epoch.train_kl,
        "validation_elbo": epoch.validation_elbo,
        "validation_kl_divergence": epoch.validation_kl,
        "best": epoch.best,
    }
