"""Small checkpoints for tests: sound ones, and the parts to make broken ones of."""

import json

import numpy as np

from training.checkpoints.checkpoint import Checkpoint, weight_shapes
from training.config import ModelConfig

MODEL = ModelConfig(image_shape=(2, 3), hidden_dim=3, latent_dim=2)


def make_weights(model=MODEL, seed=0):
    """Return normal weights for an architecture."""
    generator = np.random.default_rng(seed)
    return {name: generator.standard_normal(shape, np.float32) for name, shape in weight_shapes(model).items()}


def make_checkpoint(model=MODEL, weights=None, **changes):
    """Return a checkpoint with provenance and metrics."""
    fields = {
        "framework": "jax",
        "framework_version": "1.2.3",
        "training": {"epochs": 3, "command": "python -m training train"},
        "metrics": {"test_elbo": -99.5, "target": "fixed"},
    }
    return Checkpoint(model=model, weights=weights or make_weights(model), **(fields | changes))


def split_file(content):
    """Return a safetensors file's header, as a dictionary, and its data."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def join_file(header, data):
    """Return the safetensors file of a header, as a dictionary, JSON text or bytes, and data."""
    if not isinstance(header, str | bytes):
        header = json.dumps(header)
    text = header.encode() if isinstance(header, str) else header
    return len(text).to_bytes(8, "little") + text + data
