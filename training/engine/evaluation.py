"""Evaluation of weights: the mean ELBO of images and its parts. Imports no framework."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

from training.checkpoints.checkpoint import Weights
from training.config import ModelConfig
from training.frameworks import import_trainer

_BATCH = 1000
_SEED = 0


class Evaluator(Protocol):
    """Interface of a framework's evaluation functions."""

    device: str

    def evaluate(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch"], Float32[ndarray, "batch"]]:
        """Return log-likelihood and KL of each image, in nats, with the pixels as they are."""
        ...

    def encode(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x) of each image."""
        ...

    def log_weights(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "samples batch latent"]
    ) -> Float32[ndarray, "samples batch"]:
        """Return log p(x|z) + log p(z) - log q(z|x) of each draw z from q(z|x), in nats."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Means over images, in nats per image."""

    elbo: float
    """log_likelihood - kl_divergence."""

    elbo_standard_error: float | None
    """Standard error of `elbo` over images, each the mean of its draws."""

    log_likelihood: float
    """Mean log p(x|z)."""

    kl_divergence: float
    """Mean KL(q(z|x) || N(0, I))."""


def load_evaluator(framework: str, model_config: ModelConfig, *, device: str) -> Evaluator:
    """Return a framework's evaluator for a model.

    Raises:
        FrameworkNotInstalledError: The framework's packages are absent.
        DeviceError: The device isn't available.
    """
    evaluator: Evaluator = import_trainer(framework, "train").Evaluator(model_config, device=device)
    return evaluator


def evaluate(evaluator: Evaluator, weights: Weights, images: Float32[ndarray, "n pixels"], *, draws: int) -> Evaluation:
    """Evaluate weights on binary images, with the same `draws` of noise per image at every call.

    The noise is drawn by NumPy, so that it is the same for all frameworks.
    """
    log_likelihood, kl = elbo_terms(evaluator, weights, images, draws)
    elbo = log_likelihood - kl
    return Evaluation(
        elbo=float(elbo.mean()),
        elbo_standard_error=float(elbo.std(ddof=1) / math.sqrt(len(elbo))) if len(elbo) > 1 else None,
        log_likelihood=float(log_likelihood.mean()),
        kl_divergence=float(kl.mean()),
    )


def elbo_terms(
    evaluator: Evaluator, weights: Weights, images: Float32[ndarray, "n pixels"], draws: int
) -> tuple[Float64[ndarray, "n"], Float64[ndarray, "n"]]:
    """Return log-likelihood and KL of each image, the mean of its draws."""
    latent_dim = len(weights["encoder.mean.bias"])
    generator = np.random.default_rng(_SEED)
    log_likelihood = np.zeros(len(images))
    kl = np.zeros(len(images))
    for _ in range(draws):
        for start in range(0, len(images), _BATCH):
            rows = slice(start, start + _BATCH)
            eps = generator.standard_normal((len(images[rows]), latent_dim), dtype=np.float32)
            batch_log_likelihood, batch_kl = evaluator.evaluate(weights, images[rows], eps)
            log_likelihood[rows] += batch_log_likelihood / draws
            kl[rows] += batch_kl / draws
    return log_likelihood, kl
