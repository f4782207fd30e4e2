"""Refuses models that can't be trained in this machine's memory. Measures nothing."""

import math
from typing import Final

from training.checkpoints.checkpoint import weight_shapes
from training.config import ModelConfig
from training.errors import ConfigError
from training.machine import physical_memory

_COPIES: Final = 5
"""Arrays of the weights' shapes that training needs: weights, gradients, Adam's two moments and the moving average."""


def check_memory(model: ModelConfig) -> None:
    """Check that the state of a training fits into this machine's memory.

    Raises:
        ConfigError: It is larger: the system would end the process without a message.
    """
    count = sum(math.prod(shape) for shape in weight_shapes(model).values())
    needed, available = 4 * _COPIES * count, physical_memory()
    if needed > available:
        height, width = model.image_shape
        raise ConfigError(
            f"the model has {count:,} weights ({height}x{width} pixels, {model.hidden_dim} hidden units, "
            f"{model.latent_dim} latents), and training it takes at least {needed / 2**30:,.0f} GiB: expected at most "
            f"this machine's {available / 2**30:,.0f} GiB; use smaller images or fewer units"
        )
