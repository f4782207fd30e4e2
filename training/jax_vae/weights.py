"""Canonical weights and Adam's moments to JAX's own form, nested dictionaries, and back."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from training.checkpoints.checkpoint import Weights

Params = Mapping[str, Any]


def import_weights(weights: Weights) -> Params:
    """Return params for `VAE.apply({"params": params}, ...)`."""
    params: Params = unflatten_dict({name: jnp.array(array) for name, array in weights.items()}, sep=".")
    return params


def export_weights(params: Params) -> Weights:
    """Return the canonical weights of params."""
    return {name: np.array(array) for name, array in flatten_dict(params, sep=".").items()}


def import_moments(optimizer: Any, step: int, first: Weights, second: Weights) -> Any:
    """Return optax's state of Adam, a schedule's beside it, after so many steps with these moments."""
    adam, schedule = optimizer
    # Each count is an array by itself: the state's buffers are donated, and none may be in it twice.
    adam = adam._replace(count=jnp.array(step, jnp.int32), mu=import_weights(first), nu=import_weights(second))
    return adam, schedule._replace(count=jnp.array(step, jnp.int32))


def export_moments(optimizer: Any) -> tuple[Weights, Weights]:
    """Return the means of the gradient and of its square from optax's state of Adam."""
    adam, _ = optimizer
    return export_weights(adam.mu), export_weights(adam.nu)
