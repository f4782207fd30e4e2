"""Runs the same images and noise through several frameworks, and measures how far their results differ."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.errors import ServiceError
from app.inference import operations
from app.inference.operations import NamedArrays
from app.inference.session import ModelSession


@dataclass(frozen=True, slots=True)
class Comparison:
    """Results of several frameworks for the same input."""

    results: Mapping[str, NamedArrays]
    """The arrays of `operations.reconstruct`, by framework."""

    model_ms: Mapping[str, float]
    """Milliseconds that each framework computed."""

    max_abs_difference: Mapping[str, float]
    """The largest difference between two frameworks' probs, by pair, such as `jax-pytorch`."""

    errors: Mapping[str, ServiceError]
    """The error of each framework that returned no result."""


async def compare(
    sessions: Mapping[str, ModelSession], images: Float32[ndarray, "batch pixels"], *, seed: int
) -> Comparison:
    """Return the reconstructions of every framework; the result lists the errors of those that fail."""
    outcomes = await asyncio.gather(
        *(
            session.run_operation(operations.reconstruct(session.adapter.model, images, seed=seed))
            for session in sessions.values()
        ),
        return_exceptions=True,
    )
    results: dict[str, NamedArrays] = {}
    errors: dict[str, ServiceError] = {}
    for name, outcome in zip(sessions, outcomes, strict=True):
        if isinstance(outcome, ServiceError):
            errors[name] = outcome
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            results[name] = outcome
    return Comparison(
        results,
        {name: round(sessions[name].timings.model_s * 1e3, 3) for name in results},
        {
            f"{first}-{second}": float(np.abs(results[first]["probs"] - results[second]["probs"]).max())
            for first, second in combinations(results, 2)
        },
        errors,
    )
