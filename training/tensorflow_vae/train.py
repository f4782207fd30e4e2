"""Training in TensorFlow: the state, a step, an epoch as one loop of the graph, evaluation. No files, no printing."""

from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float, Float32, Int32
from numpy import ndarray
from tensorflow import Tensor

from training.checkpoints.checkpoint import Weights
from training.config import ModelConfig, TrainConfig
from training.engine.lr_schedule import learning_rates
from training.engine.trainer import StepFigures, TrainerState
from training.tensorflow_vae.adam import Adam, Schedule
from training.tensorflow_vae.data_parallel import Replicas, count_replicas, update_each
from training.tensorflow_vae.device import allow_tf32, device_name, select_device, select_devices
from training.tensorflow_vae.losses import binary_cross_entropy_with_logits, elbo, kl_divergence
from training.tensorflow_vae.model import VAE, reparameterize
from training.tensorflow_vae.sampling import bernoulli
from training.tensorflow_vae.weights import export_moments, export_weights, import_moments, import_weights


@dataclass(kw_only=True, eq=False)
class TrainState:
    """Model and optimizer, which counts the steps, with a second model that holds the moving average of the weights."""

    model: VAE
    optimizer: Adam
    ema_model: VAE
    ema_decay: float
    latent_dim: int
    replicas: Replicas = field(default_factory=lambda: Replicas(()))


class Trainer:
    """One training run on one or several devices: the state and the training images."""

    framework = "tensorflow"
    framework_version = tf.__version__

    def __init__(  # noqa: PLR0913 -- the last three by keyword
        self,
        model_config: ModelConfig,
        config: TrainConfig,
        images: Float32[ndarray, "n pixels"],
        *,
        device: str,
        devices: int = 1,
        weights: Weights | None = None,
    ) -> None:
        """Put images in [0, 1] on the devices, and start from weights drawn from the seed or the given ones."""
        places = select_devices(device, devices)
        self.device = device_name(places[0])
        if config.compute_dtype == "tf32":
            allow_tf32()
        self._replicas = Replicas(places)
        self._images = tf.constant(images)
        with self._replicas.scope():
            self._state = create_train_state(
                model_config, config, steps_per_epoch=len(images) // config.batch_size, weights=weights
            )
        self._state.replicas = self._replicas

    def train_epoch(self, order: Int32[ndarray, "steps batch"], *, seed: int) -> StepFigures:
        """Train on the images in this order and return the mean ELBO and KL of each batch, in nats."""
        elbos, kls = train_epoch(self._state, self._images, tf.constant(order), tf.constant(seed))
        return np.array(elbos), np.array(kls)

    def weights(self) -> Weights:
        """Return the averaged weights in canonical form."""
        return export_weights(self._state.ema_model.get_weights())

    def state(self) -> TrainerState:
        """Return all values that the next step depends on."""
        first, second = export_moments(self._state.optimizer)
        return TrainerState(
            step=int(self._state.optimizer.iterations.numpy()),
            weights=export_weights(self._state.model.get_weights()),
            ema_weights=export_weights(self._state.ema_model.get_weights()),
            first_moments=first,
            second_moments=second,
        )

    def restore(self, state: TrainerState) -> None:
        """Continue from the state of another trainer."""
        import_moments(self._state.optimizer, state.step, state.first_moments, state.second_moments)
        self._state.model.set_weights(import_weights(state.weights))
        self._state.ema_model.set_weights(import_weights(state.ema_weights))


class Evaluator:
    """Measures weights on a device."""

    def __init__(self, model_config: ModelConfig, *, device: str) -> None:
        """Create the model."""
        self.device = device_name(select_device(device))
        self._model = VAE(model_config)

    def evaluate(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch"], Float32[ndarray, "batch"]]:
        """Return log-likelihood and KL of each image, in nats; pixels may be gray."""
        log_likelihood, kl = elbo_terms(*self._load(weights, images, eps))
        return np.array(log_likelihood), np.array(kl)

    def encode(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x) of each image."""
        mean, logvar = encode(*self._load(weights, images))
        return np.array(mean), np.array(logvar)

    def log_weights(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "samples batch latent"]
    ) -> Float32[ndarray, "samples batch"]:
        """Return log p(x|z) + log p(z) - log q(z|x) of each draw z from q(z|x), in nats."""
        return np.array(log_weights(*self._load(weights, images, eps)))

    def _load(self, weights: Weights, *arrays: ndarray) -> tuple[Any, ...]:
        self._model.set_weights(import_weights(weights))
        return self._model, *(tf.constant(array) for array in arrays)


@tf.function
def elbo_terms(
    model: VAE, images: Float[Tensor, "batch pixels"], eps: Float[Tensor, "batch latent"]
) -> tuple[Float[Tensor, "batch"], Float[Tensor, "batch"]]:
    """Return log-likelihood and KL of each image, in nats."""
    logits, mean, logvar = model(images, eps)
    return -binary_cross_entropy_with_logits(logits, images), kl_divergence(mean, logvar)


@tf.function
def encode(
    model: VAE, images: Float[Tensor, "batch pixels"]
) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
    """Return mean and logvar of q(z|x) of each image."""
    return model.encode(images)


@tf.function
def log_weights(
    model: VAE, images: Float[Tensor, "batch pixels"], eps: Float[Tensor, "samples batch latent"]
) -> Float[Tensor, "samples batch"]:
    """Return log p(x|z) + log p(z) - log q(z|x) of each draw, in nats."""
    logits, mean, logvar = model(images, eps)
    z = reparameterize(mean, logvar, eps)
    # log p(z) - log q(z|x): both have the same constant, and (z - mean)^2 / exp(logvar) is eps^2.
    log_ratio = 0.5 * tf.reduce_sum(tf.square(eps) - tf.square(z) + logvar, axis=-1)
    return log_ratio - binary_cross_entropy_with_logits(logits, tf.broadcast_to(images, logits.shape))


def create_train_state(
    model_config: ModelConfig, config: TrainConfig, *, steps_per_epoch: int, weights: Weights | None = None
) -> TrainState:
    """Return the state before the first step, with weights drawn from the seed or the given ones."""
    keras.utils.set_random_seed(config.seed)
    keras.config.set_dtype_policy("mixed_bfloat16" if config.compute_dtype == "bfloat16" else "float32")
    model = VAE(model_config)
    keras.config.set_dtype_policy("float32")
    if weights is not None:
        model.set_weights(import_weights(weights))
    ema_model = VAE(model_config)
    ema_model.set_weights(model.get_weights())
    rates = learning_rates(config, steps_per_epoch=steps_per_epoch)
    optimizer = Adam(
        Schedule(rates), beta_1=config.adam_b1, beta_2=config.adam_b2, epsilon=config.adam_epsilon, name="adam"
    )
    optimizer.build(model.trainable_variables)
    return TrainState(
        model=model,
        optimizer=optimizer,
        ema_model=ema_model,
        ema_decay=config.ema_decay,
        latent_dim=model_config.latent_dim,
    )


@tf.function(jit_compile=True)
def train_step(
    state: TrainState, images: Float[Tensor, "batch pixels"], eps: Float[Tensor, "batch latent"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Take one step of Adam, in place, and return the batch's mean ELBO and KL before it."""
    with tf.GradientTape() as tape:
        outputs = state.model(images, eps)
        logits, mean, logvar = (tf.cast(output, tf.float32) for output in outputs)
        mean_elbo = tf.reduce_mean(elbo(logits, images, mean, logvar))
        mean_kl = tf.reduce_mean(kl_divergence(mean, logvar))
        loss = -mean_elbo / count_replicas()  # the optimizer adds the gradients of all devices
    variables = state.model.trainable_variables
    gradients = tape.gradient(loss, variables)
    # The decay grows from 0.1, or the average would remember the initial weights.
    step = tf.cast(state.optimizer.iterations, tf.float32)
    decay = tf.minimum(state.ema_decay, (1 + step) / (10 + step))
    state.optimizer.apply_gradients(zip(gradients, variables, strict=True))
    update_each(
        state.ema_model.trainable_variables,
        variables,
        lambda ema, new: ema.assign(decay * ema + (1 - decay) * new),
    )
    return mean_elbo, mean_kl


@tf.function
def train_epoch(
    state: TrainState, images: Float[Tensor, "n pixels"], order: Int32[Tensor, "steps batch"], seed: Int32[Tensor, ""]
) -> tuple[Float[Tensor, "steps"], Float[Tensor, "steps"]]:
    """Take a step for each row of `order`, indices of images, and return each batch's ELBO and KL.

    Pixels are drawn again in each epoch, as Bernoullis of their intensity; those that are 0 or 1 stay as they are.
    """
    steps = len(order)
    elbos, kls = tf.TensorArray(tf.float32, size=steps), tf.TensorArray(tf.float32, size=steps)
    for step in tf.range(steps):
        indices = order[step]
        batch = bernoulli([seed, 2 * step], tf.gather(images, indices))
        eps = tf.random.stateless_normal((len(indices), state.latent_dim), seed=[seed, 2 * step + 1])
        mean_elbo, mean_kl = state.replicas.take_step(train_step, state, batch, eps)
        elbos, kls = elbos.write(step, mean_elbo), kls.write(step, mean_kl)
    return elbos.stack(), kls.stack()
