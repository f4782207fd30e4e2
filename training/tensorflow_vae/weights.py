"""Canonical weights to Keras's own form, a list of arrays in the order of the layers, and back."""

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from training.checkpoint import WEIGHT_NAMES, Weights

Params = Sequence[ndarray]


def import_weights(weights: Weights) -> Params:
    """Return a list for `VAE.set_weights`: the order in which the model created its layers is the canonical one."""
    return [weights[name] for name in WEIGHT_NAMES]


def export_weights(params: Params) -> Weights:
    """Return the canonical weights of a list from `VAE.get_weights`."""
    return {name: np.array(array) for name, array in zip(WEIGHT_NAMES, params, strict=True)}
