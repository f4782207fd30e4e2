"""Steps of the JAX trainer that the benchmarks with other recipes or mistakes share."""

from typing import Any

import jax
import jax.numpy as jnp

from training.jax_vae.train import TrainState


def update(state: TrainState, gradients: Any) -> TrainState:
    """Return the state after Adam's step, with the moving average of the weights."""
    decay = jnp.minimum(state.ema_decay, (1 + state.step) / (10 + state.step))
    state = state.apply_gradients(grads=gradients)
    ema = jax.tree.map(lambda ema, new: decay * ema + (1 - decay) * new, state.ema_params, state.params)
    new: TrainState = state.replace(ema_params=ema)
    return new
