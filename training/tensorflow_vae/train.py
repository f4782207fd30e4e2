"""Training in TensorFlow: the state, a step, an epoch as one loop of the graph, evaluation. No files, no printing."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float, Float32, Int32
from numpy import ndarray
from tensorflow import Tensor

from training.checkpoint import Weights
from training.config import ModelConfig, TrainConfig
from training.schedule import learning_rates
from training.tensorflow_vae.device import allow_tf32, device_name, select_device
from training.tensorflow_vae.losses import binary_cross_entropy_with_logits, elbo, kl_divergence
from training.tensorflow_vae.model import VAE, reparameterize
from training.tensorflow_vae.weights import export_weights, import_weights
from training.trainer import StepFigures, TrainerState


@dataclass(kw_only=True, eq=False)
class TrainState:
    """Model and optimizer, which counts the steps, with a second model that holds the moving average of the weights."""

    model: VAE
    optimizer: keras.optimizers.Optimizer
    ema_model: VAE
    ema_decay: float
    latent_dim: int


class Trainer:
    """What `training.loop` drives: the state, and the training images on the device."""

    framework = "tensorflow"
    framework_version = tf.__version__

    def __init__(
        self,
        model_config: ModelConfig,
        config: TrainConfig,
        images: Float32[ndarray, "n pixels"],
        *,
        device: str,
        weights: Weights | None = None,
    ) -> None:
        """Put images in [0, 1] on the device, and start from new weights or the given ones."""
        self.device = device_name(select_device(device))
        if config.compute_dtype == "tf32":
            allow_tf32()
        self._images = tf.constant(images)
        self._state = create_train_state(
            model_config, config, steps_per_epoch=len(images) // config.batch_size, weights=weights
        )

    def train_epoch(self, order: Int32[ndarray, "steps batch"], *, seed: int) -> StepFigures:
        """Train on the images in this order and return the mean ELBO and KL of each batch, in nats."""
        elbos, kls = train_epoch(self._state, self._images, tf.constant(order), tf.constant(seed))
        return np.array(elbos), np.array(kls)

    def weights(self) -> Weights:
        """Return the averaged weights in canonical form."""
        return export_weights(self._state.ema_model.get_weights())

    def state(self) -> TrainerState:
        """Return everything that the next step depends on."""
        first, second = self._state.optimizer.moments
        return TrainerState(
            step=int(self._state.optimizer.iterations),
            weights=export_weights(self._state.model.get_weights()),
            ema_weights=export_weights(self._state.ema_model.get_weights()),
            first_moments=export_weights([variable.numpy() for variable in first]),
            second_moments=export_weights([variable.numpy() for variable in second]),
        )

    def restore(self, state: TrainerState) -> None:
        """Go on from where another trainer was."""
        self._state.optimizer.iterations.assign(state.step)
        self._state.model.set_weights(import_weights(state.weights))
        self._state.ema_model.set_weights(import_weights(state.ema_weights))
        for variables, moments in zip(
            self._state.optimizer.moments, (state.first_moments, state.second_moments), strict=True
        ):
            for variable, array in zip(variables, import_weights(moments), strict=True):
                variable.assign(array)


class Evaluator:
    """What `training.loop` measures weights with."""

    def __init__(self, model_config: ModelConfig, *, device: str) -> None:
        """Compile for a model on a device."""
        self.device = device_name(select_device(device))
        self._model = model = VAE(model_config)
        model(tf.zeros((1, model_config.image_dim)), tf.zeros((1, model_config.latent_dim)))

        @tf.function
        def terms(images: Float[Tensor, "batch pixels"], eps: Float[Tensor, "batch latent"]) -> Any:
            logits, mean, logvar = model(images, eps)
            return -binary_cross_entropy_with_logits(logits, images), kl_divergence(mean, logvar)

        @tf.function
        def encode(images: Float[Tensor, "batch pixels"]) -> Any:
            return model.encode(images)

        @tf.function
        def log_weights(images: Float[Tensor, "batch pixels"], eps: Float[Tensor, "samples batch latent"]) -> Any:
            logits, mean, logvar = model(images, eps)
            z = reparameterize(mean, logvar, eps)
            # log p(z) - log q(z|x): both have the same constant, and (z - mean)^2 / exp(logvar) is eps^2.
            log_ratio = 0.5 * tf.reduce_sum(tf.square(eps) - tf.square(z) + logvar, axis=-1)
            return log_ratio - binary_cross_entropy_with_logits(logits, tf.broadcast_to(images, logits.shape))

        self._terms, self._encode, self._log_weights = terms, encode, log_weights

    def evaluate(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch"], Float32[ndarray, "batch"]]:
        """Return log-likelihood and KL of each image, in nats, with the pixels as they are."""
        self._model.set_weights(import_weights(weights))
        log_likelihood, kl = self._terms(tf.constant(images), tf.constant(eps))
        return np.array(log_likelihood), np.array(kl)

    def encode(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x) of each image."""
        self._model.set_weights(import_weights(weights))
        mean, logvar = self._encode(tf.constant(images))
        return np.array(mean), np.array(logvar)

    def log_weights(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "samples batch latent"]
    ) -> Float32[ndarray, "samples batch"]:
        """Return log p(x|z) + log p(z) - log q(z|x) of each draw z from q(z|x), in nats."""
        self._model.set_weights(import_weights(weights))
        return np.array(self._log_weights(tf.constant(images), tf.constant(eps)))


def create_train_state(
    model_config: ModelConfig, config: TrainConfig, *, steps_per_epoch: int, weights: Weights | None = None
) -> TrainState:
    """Return the state before the first step: weights new from the seed, or the given ones."""
    keras.utils.set_random_seed(config.seed)
    model, ema_model = VAE(model_config, config.compute_dtype), VAE(model_config)
    images = tf.zeros((1, model_config.image_dim))
    eps = tf.zeros((1, model_config.latent_dim))
    model(images, eps)  # the layers create their weights
    ema_model(images, eps)
    if weights is not None:
        model.set_weights(import_weights(weights))
    ema_model.set_weights(model.get_weights())
    rates = learning_rates(config, steps_per_epoch=steps_per_epoch)
    optimizer = _Adam(
        _Schedule(rates), beta_1=config.adam_b1, beta_2=config.adam_b2, epsilon=config.adam_epsilon, name="adam"
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
        logits, mean, logvar = state.model(images, eps)
        mean_elbo = tf.reduce_mean(elbo(logits, images, mean, logvar))
        loss = -mean_elbo
    variables = state.model.trainable_variables
    gradients = tape.gradient(loss, variables)
    # A young average forgets faster, or it would remember the initial weights.
    step = tf.cast(state.optimizer.iterations, tf.float32)
    decay = tf.minimum(state.ema_decay, (1 + step) / (10 + step))
    state.optimizer.apply_gradients(zip(gradients, variables, strict=True))
    for ema, new in zip(state.ema_model.trainable_variables, variables, strict=True):
        ema.assign(decay * ema + (1 - decay) * new)
    return mean_elbo, tf.reduce_mean(kl_divergence(mean, logvar))


@tf.function
def train_epoch(
    state: TrainState, images: Float[Tensor, "n pixels"], order: Int32[Tensor, "steps batch"], seed: Int32[Tensor, ""]
) -> tuple[Float[Tensor, "steps"], Float[Tensor, "steps"]]:
    """Take a step for each row of `order`, indices of images, and return each batch's ELBO and KL.

    Pixels are drawn anew as Bernoullis of their intensity; those that are 0 or 1 stay as they are.
    """
    steps, batch_size = order.shape
    elbos, kls = tf.TensorArray(tf.float32, size=steps), tf.TensorArray(tf.float32, size=steps)
    for step in tf.range(steps):
        batch = tf.gather(images, order[step])
        pixels = tf.random.stateless_uniform(batch.shape, seed=[seed, 2 * step])
        eps = tf.random.stateless_normal((batch_size, state.latent_dim), seed=[seed, 2 * step + 1])
        mean_elbo, mean_kl = train_step(state, tf.cast(pixels < batch, tf.float32), eps)
        elbos, kls = elbos.write(step, mean_elbo), kls.write(step, mean_kl)
    return elbos.stack(), kls.stack()


class _Adam(keras.optimizers.Adam):
    # Keras adds epsilon before it corrects the bias of the second moment, which makes it 32 times as large in the
    # first step as it is in the other two frameworks, and the losses differ by 1e-4. This is algorithm 1 of
    # Kingma & Ba (2015), arXiv:1412.6980, as they have it.
    @property
    def moments(self) -> tuple[list[keras.Variable], list[keras.Variable]]:
        return self._momentums, self._velocities

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        step = tf.cast(self.iterations + 1, tf.float32)
        index = self._get_variable_index(variable)
        first, second = self._momentums[index], self._velocities[index]
        first.assign_add((1 - self.beta_1) * (gradient - first))
        second.assign_add((1 - self.beta_2) * (tf.square(gradient) - second))
        # Scalars first: what is left for each weight is one root and one division.
        rate = learning_rate / (1 - tf.pow(self.beta_1, step))
        correction = tf.math.rsqrt(1 - tf.pow(self.beta_2, step))
        variable.assign_sub(rate * first / (correction * tf.sqrt(second) + self.epsilon))


class _Schedule(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, rates: Float32[ndarray, "steps"]) -> None:
        self._rates = rates

    def __call__(self, step: Tensor) -> Float[Tensor, ""]:
        return tf.gather(tf.constant(self._rates), step)
