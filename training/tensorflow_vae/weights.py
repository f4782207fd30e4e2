"""Canonical weights and Adam's moments to Keras's own form, arrays in the order of the layers, and back."""

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from training.checkpoints.checkpoint import WEIGHT_NAMES, Weights
from training.tensorflow_vae.adam import Adam

Params = Sequence[ndarray]


def import_weights(weights: Weights) -> Params:
    """Return a list for `VAE.set_weights`: the order in which the model created its layers is the canonical one."""
    return [weights[name] for name in WEIGHT_NAMES]


def export_weights(params: Params) -> Weights:
    """Return the canonical weights of a list from `VAE.get_weights`."""
    return {name: np.array(array) for name, array in zip(WEIGHT_NAMES, params, strict=True)}


def import_moments(optimizer: Adam, step: int, first: Weights, second: Weights) -> None:
    """Set Adam's variables to those after so many steps with these moments."""
    optimizer.iterations.assign(step)
    for variables, moments in zip(optimizer.moments, (first, second), strict=True):
        for variable, array in zip(variables, import_weights(moments), strict=True):
            variable.assign(array)


def export_moments(optimizer: Adam) -> tuple[Weights, Weights]:
    """Return the means of the gradient and of its square from Adam's variables."""
    first, second = optimizer.moments
    return export_weights([array.numpy() for array in first]), export_weights([array.numpy() for array in second])
