"""Initial weights drawn by NumPy, the same for all frameworks. Imports none of them."""

import math

import numpy as np

from training.checkpoints.checkpoint import Weights, weight_shapes
from training.config import ModelConfig, TrainConfig


def draw_initial_weights(model: ModelConfig, config: TrainConfig) -> Weights | None:
    """Return initial weights as PyTorch's layers draw them by default; None if each framework draws Glorot's itself.

    Kernels and biases are uniform within 1 / sqrt(inputs) of 0.
    """
    if config.initialization == "glorot":
        return None
    random = np.random.default_rng(config.seed)
    weights, limit = {}, 0.0
    for name, shape in weight_shapes(model).items():
        if len(shape) == 2:
            limit = 1 / math.sqrt(shape[0])  # also of the bias, which follows its kernel
        weights[name] = random.uniform(-limit, limit, shape).astype(np.float32)
    return weights
