"""Training in JAX: the state, a step, an epoch as one compiled scan, evaluation. No files, no printing."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import struct
from flax.training import train_state
from jax import Array
from jax.tree_util import Partial
from jaxtyping import Float, Float32, Int32
from numpy import ndarray

from training.checkpoints.checkpoint import Weights
from training.config import ModelConfig, TrainConfig
from training.engine.lr_schedule import learning_rates
from training.engine.trainer import StepFigures, TrainerState
from training.jax_vae.data_parallel import Replicas
from training.jax_vae.device import allow_tf32, device_name, select_device, select_devices
from training.jax_vae.losses import binary_cross_entropy_with_logits, elbo, kl_divergence
from training.jax_vae.model import VAE, reparameterize
from training.jax_vae.sampling import bernoulli
from training.jax_vae.weights import Params, export_moments, export_weights, import_moments, import_weights


class TrainState(train_state.TrainState):
    """Params, optimizer state and step, with a moving average of the params."""

    ema_params: Params
    ema_decay: float = struct.field(pytree_node=False)
    latent_dim: int = struct.field(pytree_node=False)


class Trainer:
    """One training run on one or several devices: the state and the training images."""

    framework = "jax"
    framework_version = jax.__version__

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
        self._images = self._replicas.copy(jnp.array(images))
        state = create_train_state(
            model_config, config, steps_per_epoch=len(images) // config.batch_size, weights=weights
        )
        self._state = self._replicas.copy(state)

    def train_epoch(self, order: Int32[ndarray, "steps batch"], *, seed: int) -> StepFigures:
        """Train on the images in this order and return the mean ELBO and KL of each batch, in nats."""
        self._state, elbos, kls = train_epoch(self._state, self._images, self._replicas.split(order), seed)
        return np.array(elbos), np.array(kls)

    def weights(self) -> Weights:
        """Return the averaged weights in canonical form."""
        return export_weights(self._state.ema_params)

    def state(self) -> TrainerState:
        """Return all values that the next step depends on."""
        first, second = export_moments(self._state.opt_state)
        return TrainerState(
            step=int(self._state.step),
            weights=export_weights(self._state.params),
            ema_weights=export_weights(self._state.ema_params),
            first_moments=first,
            second_moments=second,
        )

    def restore(self, state: TrainerState) -> None:
        """Continue from the state of another trainer."""
        adam = import_moments(self._state.opt_state, state.step, state.first_moments, state.second_moments)
        restored = self._state.replace(
            step=state.step,
            params=import_weights(state.weights),
            ema_params=import_weights(state.ema_weights),
            opt_state=adam,
        )
        self._state = self._replicas.copy(restored)


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
        model = Partial(self._model.apply, {"params": import_weights(weights)})
        return model, *(jnp.array(array) for array in arrays)


@jax.jit
def elbo_terms(
    model: Partial, images: Float[Array, "batch pixels"], eps: Float[Array, "batch latent"]
) -> tuple[Float[Array, "batch"], Float[Array, "batch"]]:
    """Return log-likelihood and KL of each image, in nats."""
    logits, mean, logvar = model(images, eps)
    return -binary_cross_entropy_with_logits(logits, images), kl_divergence(mean, logvar)


@jax.jit
def encode(
    model: Partial, images: Float[Array, "batch pixels"]
) -> tuple[Float[Array, "batch latent"], Float[Array, "batch latent"]]:
    """Return mean and logvar of q(z|x) of each image."""
    return model(images, method=VAE.encode)


@jax.jit
@partial(jax.vmap, in_axes=(None, None, 0))
def log_weights(
    model: Partial, images: Float[Array, "batch pixels"], eps: Float[Array, "batch latent"]
) -> Float[Array, "batch"]:
    """Return log p(x|z) + log p(z) - log q(z|x) of each draw, in nats."""
    logits, mean, logvar = model(images, eps)
    z = reparameterize(mean, logvar, eps)
    # log p(z) - log q(z|x): both have the same constant, and (z - mean)^2 / exp(logvar) is eps^2.
    log_ratio = 0.5 * jnp.sum(jnp.square(eps) - jnp.square(z) + logvar, axis=-1)
    return log_ratio - binary_cross_entropy_with_logits(logits, images)


def create_train_state(
    model_config: ModelConfig, config: TrainConfig, *, steps_per_epoch: int, weights: Weights | None = None
) -> TrainState:
    """Return the state before the first step, with weights drawn from the seed or the given ones."""
    model = VAE(model_config, jnp.bfloat16 if config.compute_dtype == "bfloat16" else jnp.float32)
    images = jnp.zeros((1, model_config.image_dim))
    eps = jnp.zeros((1, model_config.latent_dim))
    params = model.init(jax.random.key(config.seed), images, eps)["params"]
    if weights is not None:
        params = import_weights(weights)
    rates = jnp.array(learning_rates(config, steps_per_epoch=steps_per_epoch))
    optimizer = optax.adam(lambda step: rates[step], b1=config.adam_b1, b2=config.adam_b2, eps=config.adam_epsilon)
    return TrainState.create(
        apply_fn=model.apply,
        params=params,
        tx=optimizer,
        ema_params=jax.tree.map(jnp.copy, params),  # the state's buffers are donated: none may be in it twice
        ema_decay=config.ema_decay,
        latent_dim=model_config.latent_dim,
    )


@jax.jit
def train_step(
    state: TrainState, images: Float[Array, "batch pixels"], eps: Float[Array, "batch latent"]
) -> tuple[TrainState, Float[Array, ""], Float[Array, ""]]:
    """Take one step of Adam and return the state, and the batch's mean ELBO and KL before it."""

    def negative_elbo(params: Params) -> tuple[Float[Array, ""], tuple[Float[Array, ""], Float[Array, ""]]]:
        outputs = state.apply_fn({"params": params}, images, eps)
        logits, mean, logvar = (output.astype(jnp.float32) for output in outputs)
        mean_elbo = jnp.mean(elbo(logits, images, mean, logvar))
        mean_kl = jnp.mean(kl_divergence(mean, logvar))
        return -mean_elbo, (mean_elbo, mean_kl)

    (_, (mean_elbo, mean_kl)), gradients = jax.value_and_grad(negative_elbo, has_aux=True)(state.params)
    # The decay grows from 0.1, or the average would remember the initial weights.
    decay = jnp.minimum(state.ema_decay, (1 + state.step) / (10 + state.step))
    state = state.apply_gradients(grads=gradients)
    ema_params = jax.tree.map(lambda ema, new: decay * ema + (1 - decay) * new, state.ema_params, state.params)
    return state.replace(ema_params=ema_params), mean_elbo, mean_kl


@partial(jax.jit, donate_argnames="state")
def train_epoch(
    state: TrainState, images: Float[Array, "n pixels"], order: Int32[Array, "steps batch"], seed: int
) -> tuple[TrainState, Float[Array, "steps"], Float[Array, "steps"]]:
    """Take a step for each row of `order`, indices of images, and return the state, and each batch's ELBO and KL.

    Pixels are drawn again in each epoch, as Bernoullis of their intensity; those that are 0 or 1 stay as they are.
    """

    def step(state: TrainState, inputs: tuple[Int32[Array, "batch"], Array]) -> tuple[TrainState, Any]:
        indices, key = inputs
        pixel_key, eps_key = jax.random.split(key)
        batch = bernoulli(pixel_key, images[indices])
        eps = jax.random.normal(eps_key, (len(indices), state.latent_dim))
        state, mean_elbo, mean_kl = train_step(state, batch, eps)
        return state, (mean_elbo, mean_kl)

    keys = jax.random.split(jax.random.key(seed), len(order))
    state, (elbos, kls) = jax.lax.scan(step, state, (order, keys))
    return state, elbos, kls
