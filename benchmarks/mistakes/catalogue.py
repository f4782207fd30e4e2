"""The mistakes that `benchmarks.mistakes` measures, as changes to the correct version. Trains nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jax
import jax.numpy as jnp
from jax import Array
from jax.nn import initializers

from training.jax_vae.losses import elbo, kl_divergence
from training.jax_vae.model import reparameterize


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mistake:
    """One configuration; the defaults are the correct version."""

    topic: str
    """Topic of the mistake; empty for the correct version."""

    loss: Callable[[Array, Array, Array, Array], Array] = lambda *terms: -jnp.mean(elbo(*terms))
    """Loss to minimize, from logits, images, mean and logvar of a batch."""

    reparameterize: Callable[[Array, Array, Array], Array] = reparameterize
    """Returns z from mean, logvar and eps."""

    kernel: Callable[..., Array] = field(default_factory=initializers.glorot_uniform)
    """Draws a kernel, (in, out)."""

    has_random_biases: bool = False
    """Biases are drawn as PyTorch draws them, uniform within 1 / sqrt(in), instead of 0."""

    draws_pixels: bool = True
    """Pixels are drawn as Bernoulli variables of their intensity, instead of used as gray targets."""

    splits_key: bool = True
    """Each step draws its own noise."""

    config: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `TrainConfig` that differ from the defaults."""


def _bernoulli(probs: Array, images: Array) -> Array:
    return images * jnp.log(probs) + (1 - images) * jnp.log(1 - probs)


def _log_of_sigmoid(*, least: float | None) -> Callable[[Array, Array, Array, Array], Array]:
    def loss(logits: Array, images: Array, mean: Array, logvar: Array) -> Array:
        probs = jax.nn.sigmoid(logits)
        if least is not None:
            probs = jnp.clip(probs, least, 1 - least)
        return jnp.mean(kl_divergence(mean, logvar) - jnp.sum(_bernoulli(probs, images), axis=-1))

    return loss


def _mean_over_pixels(logits: Array, images: Array, mean: Array, logvar: Array) -> Array:
    kl = kl_divergence(mean, logvar)
    return jnp.mean(kl - (elbo(logits, images, mean, logvar) + kl) / images.shape[-1])


def _mean_over_all(logits: Array, images: Array, mean: Array, logvar: Array) -> Array:
    kl = kl_divergence(mean, logvar)
    return jnp.mean(kl / mean.shape[-1] - (elbo(logits, images, mean, logvar) + kl) / images.shape[-1])


RIGHT: Final = "the right way"
"""Name of the correct version."""

MISTAKES: Final[Mapping[str, Mistake]] = {
    RIGHT: Mistake(topic=""),
    "`log(sigmoid(logits))`": Mistake(topic="logits", loss=_log_of_sigmoid(least=None)),
    "`log(sigmoid(logits))`, kernels of deviation 0.1": Mistake(
        topic="logits", loss=_log_of_sigmoid(least=None), kernel=initializers.normal(0.1)
    ),
    "`clip(probs, 1e-8, 1 - 1e-8)`": Mistake(topic="clamps", loss=_log_of_sigmoid(least=1e-8)),
    "`clip(probs, 1e-8, 1 - 1e-8)`, kernels of deviation 0.1": Mistake(
        topic="clamps", loss=_log_of_sigmoid(least=1e-8), kernel=initializers.normal(0.1)
    ),
    "`clip(probs, 1e-7, 1 - 1e-7)`": Mistake(topic="clamps", loss=_log_of_sigmoid(least=1e-7)),
    "`clip(probs, 1e-7, 1 - 1e-7)`, kernels of deviation 0.1": Mistake(
        topic="clamps", loss=_log_of_sigmoid(least=1e-7), kernel=initializers.normal(0.1)
    ),
    "`clip(probs, 0.01, 0.99)`": Mistake(topic="clamps", loss=_log_of_sigmoid(least=1e-2)),
    "mean over pixels, sum over latents": Mistake(topic="means", loss=_mean_over_pixels),
    "mean over pixels, mean over latents": Mistake(topic="means", loss=_mean_over_all),
    "sum over the batch": Mistake(topic="means", loss=lambda *terms: -jnp.sum(elbo(*terms))),
    "`exp(logvar)` as standard deviation": Mistake(
        topic="noise", reparameterize=lambda mean, logvar, eps: mean + eps * jnp.exp(logvar)
    ),
    "one key for all steps": Mistake(topic="noise", splits_key=False),
    "epsilon 1e-7 (Keras)": Mistake(topic="epsilon", config={"adam_epsilon": 1e-7}),
    "epsilon 1e-3": Mistake(topic="epsilon", config={"adam_epsilon": 1e-3}),
    "epsilon 1": Mistake(topic="epsilon", config={"adam_epsilon": 1.0}),
    "lecun-normal (Flax)": Mistake(topic="initializers", kernel=initializers.lecun_normal()),
    "PyTorch's, biases too": Mistake(
        topic="initializers",
        kernel=initializers.variance_scaling(1 / 3, "fan_in", "uniform"),
        has_random_biases=True,
    ),
    "normal, deviation 0.1": Mistake(topic="initializers", kernel=initializers.normal(0.1)),
    "normal, deviation 1": Mistake(topic="initializers", kernel=initializers.normal(1.0)),
    "zeros": Mistake(topic="initializers", kernel=initializers.zeros),
    "trained on `fixed`": Mistake(topic="binarization", config={"target": "fixed"}),
    "trained on `threshold`": Mistake(topic="binarization", config={"target": "threshold"}),
    "trained on grey pixels": Mistake(topic="binarization", draws_pixels=False),
}
"""One change each, by its name in the guide."""
