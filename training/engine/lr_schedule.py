"""The learning rate of every step of a run, computed once for all frameworks. Imports none of them."""

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from training.config import TrainConfig


def learning_rates(config: TrainConfig, *, steps_per_epoch: int) -> Float32[ndarray, "steps"]:
    """Return linear warm-up to `config.learning_rate`, then half a cosine to 0.

    Loshchilov & Hutter (2017), equation 5 without restarts, arXiv:1608.03983.
    """
    steps = config.epochs * steps_per_epoch
    warmup_steps = min(config.warmup_epochs * steps_per_epoch, steps / 2)
    step = np.arange(1, steps + 1)
    progress = np.clip((step - warmup_steps) / (steps - warmup_steps), 0, 1)
    warmup = np.minimum(step / warmup_steps, 1) if warmup_steps else 1.0
    rates: Float32[ndarray, "steps"] = (config.learning_rate * warmup * (1 + np.cos(np.pi * progress)) / 2).astype(
        np.float32
    )
    return rates
