"""Canonical weights to PyTorch's own form, a state_dict, and back."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from training.checkpoint import Weights

Params = Mapping[str, Tensor]


def import_weights(weights: Weights) -> Params:
    """Return a state_dict for `VAE.load_state_dict`: kernels are (out, in) here, and called weights."""
    return {
        name.replace(".kernel", ".weight"): torch.from_numpy(np.array(array.T if name.endswith(".kernel") else array))
        for name, array in weights.items()
    }


def export_weights(params: Params) -> Weights:
    """Return the canonical weights of a state_dict."""
    arrays = {name: tensor.numpy(force=True) for name, tensor in params.items()}
    return {
        name.replace(".weight", ".kernel"): np.array(array.T if name.endswith(".weight") else array)
        for name, array in arrays.items()
    }
