"""Canonical weights and Adam's moments to PyTorch's own form, a state_dict and an optimizer's state, and back."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from training.checkpoints.checkpoint import WEIGHT_NAMES, Weights

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


def import_moments(optimizer: torch.optim.Optimizer, step: int, first: Weights, second: Weights) -> None:
    """Set Adam's state to that after so many steps with these moments."""
    weights = optimizer.param_groups[0]["params"]
    for weight, *moments in zip(weights, import_weights(first).values(), import_weights(second).values(), strict=True):
        exp_avg, exp_avg_sq = (torch.empty_like(weight, requires_grad=False).copy_(moment) for moment in moments)
        optimizer.state[weight] = {
            "step": torch.tensor(float(step), device=weight.device),
            "exp_avg": exp_avg,
            "exp_avg_sq": exp_avg_sq,
        }


def export_moments(optimizer: torch.optim.Optimizer) -> tuple[Weights, Weights]:
    """Return the means of the gradient and of its square from Adam's state; 0 before the first step."""
    first, second = (
        {
            name.replace(".kernel", ".weight"): optimizer.state[weight].get(moment, torch.zeros_like(weight))
            for name, weight in zip(WEIGHT_NAMES, optimizer.param_groups[0]["params"], strict=True)
        }
        for moment in ("exp_avg", "exp_avg_sq")
    )
    return export_weights(first), export_weights(second)
