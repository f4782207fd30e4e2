"""Training of one mistake in JAX, measured with the correct formulas. No files, no command line.

Model, Adam, moving average and everything that the mistake doesn't change are the trainer's.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.jax_steps import update
from benchmarks.mistakes.catalogue import Mistake
from training.checkpoints.checkpoint import Weights, weight_shapes
from training.config import ModelConfig, TrainConfig
from training.data import TEST_SEED, TRAIN_SEED, VALIDATION_SEED, Dataset, binarize
from training.engine.batch_order import draw_order
from training.engine.evaluation import Evaluation, evaluate
from training.engine.run import EVALUATION_TARGET, TEST_DRAWS
from training.jax_vae.model import VAE
from training.jax_vae.train import Evaluator, TrainState, create_train_state
from training.jax_vae.weights import export_weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Result of training with a mistake."""

    loss: float | None
    """Mean loss of the last epoch, by the formula of the mistake; None if it became NaN or infinite."""

    broken_step: int | None
    """The first step, from 1, whose loss was NaN or infinite."""

    validation: list[float]
    """ELBO of the validation images after each epoch, in nats."""

    test: Evaluation | None
    """Evaluation on the test images, after the last epoch."""

    weights: Weights
    """Moving average of the weights after the last epoch."""


def train(mistake: Mistake, config: TrainConfig, dataset: Dataset, evaluator: Evaluator) -> Outcome:
    """Train for the whole budget, or until the loss is NaN or infinite."""
    steps = len(dataset.train) // config.batch_size
    state = create_train_state(
        ModelConfig(), config, steps_per_epoch=steps, weights=_initial_weights(mistake, config.seed)
    )
    images = jnp.array(binarize(dataset.train, target=config.target, seed=TRAIN_SEED))
    validation = binarize(dataset.validation, target=EVALUATION_TARGET, seed=VALIDATION_SEED)
    test = binarize(dataset.test, target=EVALUATION_TARGET, seed=TEST_SEED)
    random = np.random.default_rng(config.seed)
    elbos: list[float] = []
    for number in range(config.epochs):
        order = draw_order(random, len(images), steps=steps, batch_size=config.batch_size)
        keys = jax.random.split(jax.random.key(int(random.integers(2**31))), steps)
        if not mistake.splits_key:
            keys = jnp.broadcast_to(jax.random.key(config.seed), (steps,))
        state, losses = _train_epoch(mistake, state, images, order, keys)
        weights = export_weights(state.ema_params)
        broken = np.flatnonzero(~np.isfinite(np.array(losses)))
        if len(broken):
            step = number * steps + int(broken[0]) + 1
            return Outcome(loss=None, broken_step=step, validation=elbos, test=None, weights=weights)
        elbos.append(evaluate(evaluator, weights, validation, draws=1).elbo)
    measured = evaluate(evaluator, weights, test, draws=TEST_DRAWS)
    return Outcome(loss=float(losses.mean()), broken_step=None, validation=elbos, test=measured, weights=weights)


def _initial_weights(mistake: Mistake, seed: int) -> Weights:
    key, weights, inputs = jax.random.key(seed), {}, 1
    for name, shape in weight_shapes(ModelConfig()).items():
        key, own = jax.random.split(key)
        if len(shape) == 2:
            inputs = shape[0]
            weights[name] = np.array(mistake.kernel(own, shape, jnp.float32))
        else:
            limit = mistake.has_random_biases / math.sqrt(inputs)
            weights[name] = np.array(jax.random.uniform(own, shape, minval=-limit, maxval=limit))
    return weights


@partial(jax.jit, static_argnames="mistake")
def _train_epoch(mistake: Mistake, state: TrainState, images: Any, order: Any, keys: Any) -> tuple[TrainState, Any]:
    def step(state: TrainState, inputs: Any) -> tuple[TrainState, Any]:
        indices, key = inputs
        pixel_key, eps_key = jax.random.split(key)
        batch = images[indices]
        if mistake.draws_pixels:
            batch = jax.random.bernoulli(pixel_key, batch).astype(jnp.float32)
        eps = jax.random.normal(eps_key, (len(indices), state.latent_dim))

        def loss(params: Any) -> Any:
            variables = {"params": params}
            mean, logvar = state.apply_fn(variables, batch, method=VAE.encode)
            z = mistake.reparameterize(mean, logvar, eps)
            return mistake.loss(state.apply_fn(variables, z, method=VAE.decode), batch, mean, logvar)

        value, gradients = jax.value_and_grad(loss)(state.params)
        return update(state, gradients), value

    return jax.lax.scan(step, state, (order, keys))
