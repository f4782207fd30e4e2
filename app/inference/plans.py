"""What one operation of a model answers, once for all frameworks: its inputs, and the arrays that its outputs make.

Arrays are by name, the most wanted first, the batch as first axis. Nothing here waits: what takes several operations
is in `app.inference.tasks`.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.inference import vae
from app.inference.noise import draw_noise
from app.inference.vae import Operation
from training.config import ModelConfig

Arrays = dict[str, ndarray]

NEEDS_NO_SCORE: Final = frozenset({"probs", "mean", "logvar"})
"""What `reconstruct_only` plans."""


class Plan(NamedTuple):
    """An operation on inputs, batch first, and what to make of its outputs."""

    operation: Operation
    inputs: tuple[ndarray, ...]
    name_outputs: Callable[[tuple[ndarray, ...]], Arrays]
    seed: int | None = None
    """Of the noise among the inputs; None where there is none."""


def reconstruct(model: ModelConfig, images: Float32[ndarray, "batch pixels"], *, seed: int) -> Plan:
    """Plan probs, mean, logvar, and the ELBO of the given pixels with its two parts, in nats, per image."""
    eps = draw_noise(seed, (len(images), model.latent_dim))
    return Plan(vae.reconstruct_and_score, (images, eps), partial(_name_scored_reconstruction, model), seed)


def reconstruct_only(model: ModelConfig, images: Float32[ndarray, "batch pixels"], *, seed: int) -> Plan:
    """Plan probs, mean and logvar as `reconstruct` does, without what only the ELBO needs."""
    eps = draw_noise(seed, (len(images), model.latent_dim))
    return Plan(vae.reconstruct, (images, eps), partial(_name_reconstruction, model), seed)


def encode(_: ModelConfig, images: Float32[ndarray, "batch pixels"]) -> Plan:
    """Plan mean and logvar of q(z|x)."""
    return Plan(vae.encode, (images,), _name_posterior)


def encode_and_sample(_: ModelConfig, images: Float32[ndarray, "batch pixels"], *, seed: int) -> Plan:
    """Plan mean and logvar of q(z|x), and one draw from it as latents."""
    return Plan(vae.encode, (images,), partial(_name_posterior_and_draw, seed), seed)


def decode(model: ModelConfig, latents: Float32[ndarray, "batch latent"]) -> Plan:
    """Plan the probs of p(x|z)."""
    return Plan(vae.decode, (latents,), partial(_name_probs, model))


def sample(model: ModelConfig, *, n: int, seed: int) -> Plan:
    """Plan the probs of n latents drawn from the prior N(0, I), and the latents."""
    latents = draw_noise(seed, (n, model.latent_dim))
    return Plan(vae.decode, (latents,), partial(_name_probs, model, latents=latents), seed)


def interpolate(model: ModelConfig, ends: Float32[ndarray, "2 latent"], *, steps: int) -> Plan:
    """Plan the probs of latents at even steps on the straight line between two, both ends included, and the latents."""
    share = np.linspace(0, 1, steps, dtype=np.float32)[:, np.newaxis]
    # So written, both ends come out exactly.
    latents = (1 - share) * ends[0] + share * ends[1]
    return Plan(vae.decode, (latents,), partial(_name_probs, model, latents=latents))


def _name_reconstruction(model: ModelConfig, outputs: tuple[ndarray, ...]) -> Arrays:
    probs, mean, logvar = outputs
    return {"probs": probs.reshape(-1, *model.image_shape), "mean": mean, "logvar": logvar}


def _name_scored_reconstruction(model: ModelConfig, outputs: tuple[ndarray, ...]) -> Arrays:
    *reconstruction, log_likelihood, kl = outputs
    arrays = _name_reconstruction(model, tuple(reconstruction))
    arrays |= {"elbo": log_likelihood - kl, "log_likelihood": log_likelihood, "kl_divergence": kl}
    return arrays


def _name_posterior(outputs: tuple[ndarray, ...]) -> Arrays:
    mean, logvar = outputs
    return {"mean": mean, "logvar": logvar}


def _name_posterior_and_draw(seed: int, outputs: tuple[ndarray, ...]) -> Arrays:
    mean, logvar = outputs
    latents = mean + draw_noise(seed, mean.shape) * np.exp(logvar / 2)
    return {"mean": mean, "logvar": logvar, "latents": latents}


def _name_probs(
    model: ModelConfig, outputs: tuple[ndarray, ...], *, latents: Float32[ndarray, "batch latent"] | None = None
) -> Arrays:
    (probs,) = outputs
    arrays = {"probs": probs.reshape(-1, *model.image_shape)}
    return arrays if latents is None else arrays | {"latents": latents}
