"""Training of one recipe in JAX, with factors that the trainers lack. No files, no command line.

Model, losses, drawing, Adam and moving average are the trainer's; the default recipe equals the trainer's.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.jax_steps import update
from benchmarks.recipes.catalogue import Recipe
from training.checkpoints.checkpoint import Weights, weight_shapes
from training.config import ModelConfig, TrainConfig
from training.data import TRAIN_SEED, VALIDATION_SEED, Dataset, binarize
from training.engine.batch_order import draw_order
from training.engine.evaluation import evaluate
from training.engine.lr_schedule import learning_rates
from training.engine.run import EVALUATION_TARGET
from training.jax_vae.losses import binary_cross_entropy_with_logits, kl_divergence
from training.jax_vae.sampling import bernoulli
from training.jax_vae.train import Evaluator, TrainState, create_train_state
from training.jax_vae.weights import export_weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """Result of a recipe, at the epoch with the best validation ELBO."""

    epoch: int
    """Best epoch, counted from 1."""

    weights: Weights
    """Moving average of the weights."""

    train_elbo: float
    """Mean over the epoch, while the weights changed, in nats."""


def train(recipe: Recipe, config: TrainConfig, dataset: Dataset, evaluator: Evaluator) -> Trained:
    """Train, and return the best epoch by one draw of noise for each validation image."""
    steps = len(dataset.train) // config.batch_size
    optimizer = optax.adam(
        _schedule(recipe, config, steps), b1=config.adam_b1, b2=config.adam_b2, eps=config.adam_epsilon
    )
    if recipe.clip_norm is not None:
        optimizer = optax.chain(optax.clip_by_global_norm(recipe.clip_norm), optimizer)
    state = create_train_state(
        ModelConfig(), config, steps_per_epoch=steps, weights=_initial_weights(recipe, config.seed)
    )
    state = state.replace(tx=optimizer, opt_state=optimizer.init(state.params))
    images = jnp.array(binarize(dataset.train, target=config.target, seed=TRAIN_SEED))
    validation = binarize(dataset.validation, target=EVALUATION_TARGET, seed=VALIDATION_SEED)
    random = np.random.default_rng(config.seed)
    best, best_elbo = None, -np.inf
    for number in range(1, config.epochs + 1):
        order = draw_order(random, len(images), steps=steps, batch_size=config.batch_size)
        done = np.arange((number - 1) * steps, number * steps) / steps
        betas = np.minimum(done / recipe.kl_warmup_epochs, 1) if recipe.kl_warmup_epochs else np.ones(steps)
        key = jax.random.key(int(random.integers(2**31)))
        state, elbos = _train_epoch(state, images, order, betas.astype(np.float32), key)
        weights = export_weights(state.ema_params)
        elbo = evaluate(evaluator, weights, validation, draws=1).elbo
        if elbo > best_elbo:
            best, best_elbo = Trained(epoch=number, weights=weights, train_elbo=float(elbos.mean())), elbo
    assert best is not None, "a loss is NaN"
    return best


def _schedule(recipe: Recipe, config: TrainConfig, steps_per_epoch: int) -> Any:
    steps = config.epochs * steps_per_epoch
    warmup = min(config.warmup_epochs * steps_per_epoch, steps / 2)  # as `learning_rates` has it
    step = np.arange(1, steps + 1)
    rise = np.minimum(step / warmup, 1) if warmup else np.ones(steps)
    match recipe.schedule:
        case "cosine":
            rates = learning_rates(config, steps_per_epoch=steps_per_epoch)
        case "line":
            rates = config.learning_rate * np.minimum(rise, (steps - step) / (steps - warmup))
        case _:
            rates = config.learning_rate * rise
    on_device = jnp.array(rates, jnp.float32)
    return lambda count: on_device[count]


def _initial_weights(recipe: Recipe, seed: int) -> Weights:
    key, weights, inputs = jax.random.key(seed), {}, 1
    for name, shape in weight_shapes(ModelConfig()).items():
        key, own = jax.random.split(key)
        inputs = shape[0] if len(shape) == 2 else inputs  # a bias follows its kernel
        if recipe.initializer == "pytorch":
            limit = 1 / math.sqrt(inputs)
            weights[name] = np.array(jax.random.uniform(own, shape, minval=-limit, maxval=limit))
        elif len(shape) == 2:
            weights[name] = np.array(getattr(jax.nn.initializers, recipe.initializer)()(own, shape))
        else:
            weights[name] = np.zeros(shape, np.float32)
    return weights


@partial(jax.jit, donate_argnames="state")
def _train_epoch(state: TrainState, images: Any, order: Any, betas: Any, key: Any) -> tuple[TrainState, Any]:
    def step(state: TrainState, inputs: Any) -> tuple[TrainState, Any]:
        indices, beta, key = inputs
        pixel_key, eps_key = jax.random.split(key)
        batch = bernoulli(pixel_key, images[indices])
        eps = jax.random.normal(eps_key, (len(indices), state.latent_dim))

        def loss(params: Any) -> Any:
            logits, mean, logvar = state.apply_fn({"params": params}, batch, eps)
            log_likelihood = -binary_cross_entropy_with_logits(logits, batch).mean()
            kl = kl_divergence(mean, logvar).mean()
            return beta * kl - log_likelihood, log_likelihood - kl

        gradients, elbo = jax.grad(loss, has_aux=True)(state.params)
        return update(state, gradients), elbo

    return jax.lax.scan(step, state, (order, betas, jax.random.split(key, len(order))))
