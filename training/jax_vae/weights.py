"""Canonical weights to JAX's own form, a nested dictionary of params, and back."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from training.checkpoint import Weights

Params = Mapping[str, Any]


def import_weights(weights: Weights) -> Params:
    """Return params for `VAE.apply({"params": params}, ...)`."""
    params: Params = unflatten_dict({name: jnp.array(array) for name, array in weights.items()}, sep=".")
    return params


def export_weights(params: Params) -> Weights:
    """Return the canonical weights of params."""
    return {name: np.array(array) for name, array in flatten_dict(params, sep=".").items()}
