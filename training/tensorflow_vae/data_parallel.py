"""Several devices that share each batch, in TensorFlow: a strategy runs a step on each. No training."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from jaxtyping import Float
from tensorflow import Tensor

Figures = tuple[Float[Tensor, ""], Float[Tensor, ""]]


class Replicas:
    """The devices of a run. Each has all images and weights, and computes an equal part of each batch.

    Variables created in `scope` have a copy on each device. A step on several devices isn't compiled by XLA: the sums
    over devices can't be a part of what it compiles.
    """

    def __init__(self, devices: Sequence[tf.config.LogicalDevice]) -> None:
        """Choose the strategy; one device needs none."""
        self._strategy = (
            tf.distribute.MirroredStrategy([device.name for device in devices])
            if len(devices) > 1
            else tf.distribute.get_strategy()
        )

    def scope(self) -> Any:
        """Return the context in which models and optimizers are created."""
        return self._strategy.scope()

    def take_step(self, train_step: Any, state: Any, images: Float[Tensor, "batch pixels"], eps: Any) -> Figures:
        """Call a compiled step for the batch, on each device with its part, and return the batch's mean figures."""
        count = self._strategy.num_replicas_in_sync
        if count == 1:
            return train_step(state, images, eps)

        def step() -> Figures:
            own = tf.distribute.get_replica_context().replica_id_in_sync_group
            images_part, eps_part = (tf.stack(tf.split(array, count))[own] for array in (images, eps))
            return train_step.python_function(state, images_part, eps_part)

        mean_elbo, mean_kl = self._strategy.run(step)
        return self._mean(mean_elbo), self._mean(mean_kl)

    def _mean(self, figures: Any) -> Float[Tensor, ""]:
        return self._strategy.reduce(tf.distribute.ReduceOp.MEAN, figures, axis=None)


def count_replicas() -> int:
    """Return how many devices share the batch of the current step."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def update_each(
    variables: Sequence[keras.Variable], sources: Sequence[keras.Variable], update: Callable[[Any, Any], Any]
) -> None:
    """Call `update` with each variable and its source, on each device with its own copies."""

    def update_copies(strategy: tf.distribute.Strategy) -> None:
        for variable, source in zip(variables, sources, strict=True):
            strategy.extended.update(variable.value, update, args=(source.value,), group=False)

    tf.__internal__.distribute.interim.maybe_merge_call(update_copies, tf.distribute.get_strategy())
