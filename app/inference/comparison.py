"""The same images and noise through several frameworks, and how far their answers are apart."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.exceptions import ServiceError
from app.inference import plans
from app.inference.plans import Arrays
from app.inference.states import LoadedModel
from app.inference.tasks import carry_out


@dataclass(frozen=True, slots=True)
class Comparison:
    """What several frameworks made of the same input."""

    results: Mapping[str, Arrays]
    """The arrays of `plans.reconstruct`, by framework."""

    model_ms: Mapping[str, float]
    """How long each framework computed."""

    max_abs_difference: Mapping[str, float]
    """The largest difference between two frameworks' probs, by pair, such as `jax-pytorch`."""

    errors: Mapping[str, ServiceError]
    """Why a framework gave no result."""


async def compare(
    models: Mapping[str, LoadedModel], images: Float32[ndarray, "batch pixels"], *, seed: int
) -> Comparison:
    """Return what the frameworks make of the images, side by side; a framework that fails is left out."""
    computations = {name: model.begin() for name, model in models.items()}
    outcomes = await asyncio.gather(
        *(
            carry_out(computation, plans.reconstruct(computation.adapter.model, images, seed=seed))
            for computation in computations.values()
        ),
        return_exceptions=True,
    )
    results: dict[str, Arrays] = {}
    errors: dict[str, ServiceError] = {}
    for name, outcome in zip(computations, outcomes, strict=True):
        if isinstance(outcome, ServiceError):
            errors[name] = outcome
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            results[name] = outcome
    return Comparison(
        results,
        {name: round(computations[name].timings.model_s * 1e3, 3) for name in results},
        {
            f"{one}-{other}": float(np.abs(results[one]["probs"] - results[other]["probs"]).max())
            for one, other in combinations(results, 2)
        },
        errors,
    )
