"""Single-step operations of the API, once for all frameworks: inputs of a batch function, and names for its outputs.

Named arrays list the main result first; their first axis is the batch. Nothing here waits: multi-step operations are in
`app.inference.scoring`.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.inference import vae
from app.inference.noise import choose_seed, draw_noise
from app.inference.vae import BatchFunction
from training.config import ModelConfig

NamedArrays = dict[str, ndarray]

RECONSTRUCTION: Final = ("probs", "mean", "logvar")

SCORED_RECONSTRUCTION: Final = (*RECONSTRUCTION, "elbo", "log_likelihood", "kl_divergence")


class Operation(NamedTuple):
    """A batch function with its inputs, batch first, and the names of its outputs."""

    function: BatchFunction
    inputs: tuple[ndarray, ...]
    names: tuple[str, ...]
    seed: int | None = None
    """Seed of the noise among the inputs; None if there is none."""

    known: Mapping[str, ndarray] = MappingProxyType({})
    """Results that no model computes, such as the latents that are decoded."""


def reconstruct(
    model: ModelConfig,
    images: Float32[ndarray, "batch pixels"],
    *,
    seed: int | None,
    outputs: Collection[str] = SCORED_RECONSTRUCTION,
) -> Operation:
    """Return the operation for probs, mean and logvar, and if an output needs it each image's ELBO and its two parts.

    A seed of None is replaced by a random one.
    """
    seed = choose_seed(seed)
    inputs = (images, draw_noise(seed, (len(images), model.latent_dim)))
    for name in outputs:
        if name not in RECONSTRUCTION:
            return Operation(vae.reconstruct_and_score, inputs, SCORED_RECONSTRUCTION, seed)
    return Operation(vae.reconstruct, inputs, RECONSTRUCTION, seed)


def encode(_: ModelConfig, images: Float32[ndarray, "batch pixels"]) -> Operation:
    """Return the operation for mean and logvar of q(z|x)."""
    return Operation(vae.encode, (images,), ("mean", "logvar"))


def encode_and_sample(model: ModelConfig, images: Float32[ndarray, "batch pixels"], *, seed: int | None) -> Operation:
    """Return the operation for mean and logvar of q(z|x), and one draw from it as latents."""
    seed = choose_seed(seed)
    eps = draw_noise(seed, (len(images), model.latent_dim))
    return Operation(vae.encode_and_sample, (images, eps), ("mean", "logvar", "latents"), seed)


def decode(
    _: ModelConfig, latents: Float32[ndarray, "batch latent"], *, outputs: Collection[str] = ("probs",)
) -> Operation:
    """Return the operation for the probs of p(x|z), their logits, or both."""
    if "logits" not in outputs:
        return Operation(vae.decode, (latents,), ("probs",))
    if "probs" not in outputs:
        return Operation(vae.decode_logits, (latents,), ("logits",))
    return Operation(vae.decode_probs_and_logits, (latents,), ("probs", "logits"))


def apply(_: ModelConfig, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]) -> Operation:
    """Return the operation for logits, mean and logvar of the model itself, whose noise is an input."""
    return Operation(vae.apply, (images, eps), ("logits", "mean", "logvar"))


def sample(model: ModelConfig, *, n: int, seed: int | None) -> Operation:
    """Return the operation for n latents drawn from the prior N(0, I), and their probs."""
    seed = choose_seed(seed)
    latents = draw_noise(seed, (n, model.latent_dim))
    return Operation(vae.decode, (latents,), ("probs",), seed, {"latents": latents})


def interpolate(_: ModelConfig, ends: Float32[ndarray, "2 latent"], *, steps: int) -> Operation:
    """Return the operation for latents at even steps on the line between two, both ends included, and their probs."""
    share = np.linspace(0, 1, steps, dtype=np.float32)[:, np.newaxis]
    # Written this way, both ends are exact.
    latents = (1 - share) * ends[0] + share * ends[1]
    return Operation(vae.decode, (latents,), ("probs",), known={"latents": latents})
