"""Initial weights that no framework draws by itself, drawn by NumPy for all of them. Imports no framework."""

import math

import numpy as np

from training.checkpoints.checkpoint import Weights, weight_shapes
from training.config import ModelConfig, TrainConfig


def draw_initial_weights(model: ModelConfig, config: TrainConfig) -> Weights | None:
    """Return weights as PyTorch's layers start from by default, or None where each framework draws Glorot's itself.

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
