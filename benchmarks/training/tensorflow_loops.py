"""TensorFlow's two common ways to train: a step with a `GradientTape`, and Keras's `fit`. Measures nothing."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.config import ModelConfig
from training.tensorflow_vae.losses import elbo
from training.tensorflow_vae.model import VAE

_MODEL = ModelConfig()


def load(images: np.ndarray, batch_size: int) -> Any:
    """Return a pipeline of shuffled batches in [0, 1], which batches before it maps, and prefetches."""
    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images))
    batches = dataset.batch(batch_size, drop_remainder=True)
    return batches.map(lambda batch: tf.cast(batch, tf.float32) / 255).prefetch(tf.data.AUTOTUNE)


def make_step(learning_rate: float) -> Callable[[Any], Any]:
    """Return a function that takes a step with Keras's Adam, and returns the loss."""
    model = VAE(_MODEL)
    optimizer = keras.optimizers.Adam(learning_rate)
    _build(model, optimizer)

    def train_step(images: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = _loss(model, images)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return train_step


class FitVAE(keras.Model):
    """The model in Keras's own loop: `fit` calls `train_step`, as in Keras's tutorial."""

    def __init__(self) -> None:
        """Create the model and the metric."""
        super().__init__()
        self.vae = VAE(_MODEL)
        self.tracker = keras.metrics.Mean(name="negative_elbo")

    def train_step(self, images: Any) -> dict[str, Any]:
        """Take a step of the compiled optimizer."""
        with tf.GradientTape() as tape:
            loss = _loss(self.vae, images)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        self.tracker.update_state(loss)
        return {"negative_elbo": self.tracker.result()}


def make_fit(learning_rate: float, batch_size: int, *, jit_compile: bool) -> Callable[[np.ndarray], float]:
    """Return a function that trains an epoch by `fit`, and returns the mean ELBO."""
    model = FitVAE()
    optimizer = keras.optimizers.Adam(learning_rate)
    _build(model.vae, optimizer)
    model.compile(optimizer=optimizer, jit_compile=jit_compile)

    def epoch(images: np.ndarray) -> float:
        # The pipeline shuffles already.
        done = model.fit(load(images, batch_size), shuffle=False, verbose=0)
        return -float(done.history["negative_elbo"][-1])

    return epoch


def _build(model: VAE, optimizer: Any) -> None:
    model(tf.zeros((1, _MODEL.image_dim)), tf.zeros((1, _MODEL.latent_dim)))
    optimizer.build(model.trainable_variables)


def _loss(model: VAE, images: Any) -> Any:
    images = tf.cast(tf.random.uniform(tf.shape(images)) < images, tf.float32)
    logits, mean, logvar = model(images, tf.random.normal((tf.shape(images)[0], _MODEL.latent_dim)))
    return -tf.reduce_mean(elbo(logits, images, mean, logvar))
