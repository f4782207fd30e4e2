"""What the benchmarks that train in JAX, with what no trainer offers, do as the trainer does it."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int32
from numpy import ndarray

from training.jax_vae.train import TrainState


def draw_order(
    random: np.random.Generator, images: int, *, steps: int, batch_size: int
) -> Int32[ndarray, "steps batch"]:
    """Return indices of images in a new order, a row for each step; what is left over has no step."""
    return random.permutation(images).astype(np.int32)[: steps * batch_size].reshape(steps, -1)


def update(state: TrainState, gradients: Any) -> TrainState:
    """Return the state after Adam's step, with the moving average of the weights."""
    decay = jnp.minimum(state.ema_decay, (1 + state.step) / (10 + state.step))
    state = state.apply_gradients(grads=gradients)
    ema = jax.tree.map(lambda ema, new: decay * ema + (1 - decay) * new, state.ema_params, state.params)
    new: TrainState = state.replace(ema_params=ema)
    return new
