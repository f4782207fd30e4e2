"""Adam as the other two frameworks compute it, and learning rates from an array. Has no counterpart there."""

import keras
import tensorflow as tf
from jaxtyping import Float, Float32
from numpy import ndarray
from tensorflow import Tensor


class Adam(keras.optimizers.Adam):
    """Algorithm 1 of Kingma & Ba (2015), arXiv:1412.6980, which adds epsilon after the bias correction.

    Keras adds it before. That makes epsilon 32 times as large in the first step, and the losses differ by 1e-4.
    """

    @property
    def moments(self) -> tuple[list[keras.Variable], list[keras.Variable]]:
        """The means of the gradient and of its square, in the order of the weights."""
        return self._momentums, self._velocities

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        """Update one variable in place."""
        step = tf.cast(self.iterations + 1, tf.float32)
        index = self._get_variable_index(variable)
        first, second = self._momentums[index], self._velocities[index]
        first.assign_add((1 - self.beta_1) * (gradient - first))
        second.assign_add((1 - self.beta_2) * (tf.square(gradient) - second))
        # Scalars first: what is left for each weight is one root and one division.
        rate = learning_rate / (1 - tf.pow(self.beta_1, step))
        correction = tf.math.rsqrt(1 - tf.pow(self.beta_2, step))
        variable.assign_sub(rate * first / (correction * tf.sqrt(second) + self.epsilon))


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate of each step, from an array."""

    def __init__(self, rates: Float32[ndarray, "steps"]) -> None:
        """Keep the rates."""
        self._rates = rates

    def __call__(self, step: Tensor) -> Float[Tensor, ""]:
        """Return the rate of a step, from 0."""
        return tf.gather(tf.constant(self._rates), step)
