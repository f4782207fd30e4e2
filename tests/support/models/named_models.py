"""Small models under several names, of another shape than the default one."""

import numpy as np

from tests.support.app import checkpoint_path, save_checkpoints
from tests.support.checkpoints import make_checkpoint, make_weights
from training.checkpoints.checkpoint import save_checkpoint
from training.config import ModelConfig

WIDE = ModelConfig(image_shape=(4, 9), hidden_dim=8, latent_dim=3)


def save_model(folder, name, framework="jax", model=WIDE, seed=1):
    """Write a model, and return its checkpoint's ID."""
    weights = {key: array * np.float32(0.2) for key, array in make_weights(model, seed).items()}
    checkpoint = make_checkpoint(model, weights, framework=framework)
    return save_checkpoint(checkpoint_path(folder, framework, name), checkpoint).id


def save_models(folder):
    """Write a default model of each framework, and JAX's models `cats` and `dogs`; return the folder."""
    save_checkpoints(folder)
    for seed, name in enumerate(("cats", "dogs")):
        save_model(folder, name, seed=seed)
    return folder
