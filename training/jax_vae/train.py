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
from jaxtyping import Float, Float32, Int32
from numpy import ndarray

from training.checkpoint import Weights
from training.config import ModelConfig, TrainConfig
from training.jax_vae.device import allow_tf32, device_name, select_device
from training.jax_vae.losses import binary_cross_entropy_with_logits, elbo, kl_divergence
from training.jax_vae.model import VAE, reparameterize
from training.jax_vae.weights import Params, export_weights, import_weights
from training.schedule import learning_rates
from training.trainer import StepFigures, TrainerState


class TrainState(train_state.TrainState):
    """Params, optimizer state and step, with a moving average of the params."""

    ema_params: Params
    ema_decay: float = struct.field(pytree_node=False)
    latent_dim: int = struct.field(pytree_node=False)


class Trainer:
    """What `training.loop` drives: the state, and the training images on the device."""

    framework = "jax"
    framework_version = jax.__version__

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
        self._images = jnp.array(images)
        self._state = create_train_state(
            model_config, config, steps_per_epoch=len(images) // config.batch_size, weights=weights
        )

    def train_epoch(self, order: Int32[ndarray, "steps batch"], *, seed: int) -> StepFigures:
        """Train on the images in this order and return the mean ELBO and KL of each batch, in nats."""
        self._state, elbos, kls = train_epoch(self._state, self._images, jnp.array(order), seed)
        return np.array(elbos), np.array(kls)

    def weights(self) -> Weights:
        """Return the averaged weights in canonical form."""
        return export_weights(self._state.ema_params)

    def state(self) -> TrainerState:
        """Return everything that the next step depends on."""
        adam, _ = self._state.opt_state
        return TrainerState(
            step=int(self._state.step),
            weights=export_weights(self._state.params),
            ema_weights=export_weights(self._state.ema_params),
            first_moments=export_weights(adam.mu),
            second_moments=export_weights(adam.nu),
        )

    def restore(self, state: TrainerState) -> None:
        """Go on from where another trainer was."""
        adam, schedule = self._state.opt_state
        first, second = import_weights(state.first_moments), import_weights(state.second_moments)
        # Two counts of their own: the state's buffers are donated, and none may be in it twice.
        adam = adam._replace(count=jnp.array(state.step, jnp.int32), mu=first, nu=second)
        schedule = schedule._replace(count=jnp.array(state.step, jnp.int32))
        self._state = self._state.replace(
            step=state.step,
            params=import_weights(state.weights),
            ema_params=import_weights(state.ema_weights),
            opt_state=(adam, schedule),
        )


class Evaluator:
    """What `training.loop` measures weights with."""

    def __init__(self, model_config: ModelConfig, *, device: str) -> None:
        """Compile for a model on a device."""
        self.device = device_name(select_device(device))
        model = VAE(model_config)

        @jax.jit
        def terms(params: Params, images: Float[Array, "batch pixels"], eps: Float[Array, "batch latent"]) -> Any:
            outputs: Any = model.apply({"params": params}, images, eps)
            logits, mean, logvar = outputs
            return -binary_cross_entropy_with_logits(logits, images), kl_divergence(mean, logvar)

        @jax.jit
        def encode(params: Params, images: Float[Array, "batch pixels"]) -> Any:
            return model.apply({"params": params}, images, method=VAE.encode)

        @jax.jit
        @partial(jax.vmap, in_axes=(None, None, 0))
        def log_weights(params: Params, images: Float[Array, "batch pixels"], eps: Float[Array, "batch latent"]) -> Any:
            outputs: Any = model.apply({"params": params}, images, eps)
            logits, mean, logvar = outputs
            z = reparameterize(mean, logvar, eps)
            # log p(z) - log q(z|x): both have the same constant, and (z - mean)^2 / exp(logvar) is eps^2.
            log_ratio = 0.5 * jnp.sum(jnp.square(eps) - jnp.square(z) + logvar, axis=-1)
            return log_ratio - binary_cross_entropy_with_logits(logits, images)

        self._terms, self._encode, self._log_weights = terms, encode, log_weights

    def evaluate(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch"], Float32[ndarray, "batch"]]:
        """Return log-likelihood and KL of each image, in nats, with the pixels as they are."""
        log_likelihood, kl = self._terms(import_weights(weights), jnp.array(images), jnp.array(eps))
        return np.array(log_likelihood), np.array(kl)

    def encode(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x) of each image."""
        mean, logvar = self._encode(import_weights(weights), jnp.array(images))
        return np.array(mean), np.array(logvar)

    def log_weights(
        self, weights: Weights, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "samples batch latent"]
    ) -> Float32[ndarray, "samples batch"]:
        """Return log p(x|z) + log p(z) - log q(z|x) of each draw z from q(z|x), in nats."""
        return np.array(self._log_weights(import_weights(weights), jnp.array(images), jnp.array(eps)))


def create_train_state(
    model_config: ModelConfig, config: TrainConfig, *, steps_per_epoch: int, weights: Weights | None = None
) -> TrainState:
    """Return the state before the first step: weights new from the seed, or the given ones."""
    model = VAE(model_config, config.compute_dtype)
    if weights is None:
        images = jnp.zeros((1, model_config.image_dim))
        eps = jnp.zeros((1, model_config.latent_dim))
        params = model.init(jax.random.key(config.seed), images, eps)["params"]
    else:
        params = import_weights(weights)
    rates = jnp.array(learning_rates(config, steps_per_epoch=steps_per_epoch))
    optimizer = optax.adam(lambda step: rates[step], b1=config.adam_b1, b2=config.adam_b2, eps=config.adam_epsilon)
    state: TrainState = TrainState.create(
        apply_fn=model.apply,
        params=params,
        tx=optimizer,
        ema_params=jax.tree.map(jnp.copy, params),  # the state's buffers are donated: none may be in it twice
        ema_decay=config.ema_decay,
        latent_dim=model_config.latent_dim,
    )
    return state


@jax.jit
def train_step(
    state: TrainState, images: Float[Array, "batch pixels"], eps: Float[Array, "batch latent"]
) -> tuple[TrainState, Float[Array, ""], Float[Array, ""]]:
    """Take one step of Adam and return the state, and the batch's mean ELBO and KL before it."""

    def loss(params: Params) -> tuple[Float[Array, ""], Float[Array, ""]]:
        logits, mean, logvar = state.apply_fn({"params": params}, images, eps)
        mean_elbo = jnp.mean(elbo(logits, images, mean, logvar))
        return -mean_elbo, jnp.mean(kl_divergence(mean, logvar))

    (negative_elbo, mean_kl), gradients = jax.value_and_grad(loss, has_aux=True)(state.params)
    # A young average forgets faster, or it would remember the initial weights.
    decay = jnp.minimum(state.ema_decay, (1 + state.step) / (10 + state.step))
    state = state.apply_gradients(grads=gradients)
    ema_params = jax.tree.map(lambda ema, new: decay * ema + (1 - decay) * new, state.ema_params, state.params)
    return state.replace(ema_params=ema_params), -negative_elbo, mean_kl


@partial(jax.jit, donate_argnames="state")
def train_epoch(
    state: TrainState, images: Float[Array, "n pixels"], order: Int32[Array, "steps batch"], seed: int
) -> tuple[TrainState, Float[Array, "steps"], Float[Array, "steps"]]:
    """Take a step for each row of `order`, indices of images, and return the state, and each batch's ELBO and KL.

    Pixels are drawn anew as Bernoullis of their intensity; those that are 0 or 1 stay as they are.
    """

    def step(state: TrainState, inputs: tuple[Int32[Array, "batch"], Array]) -> tuple[TrainState, Any]:
        indices, key = inputs
        pixel_key, eps_key = jax.random.split(key)
        batch = _bernoulli(pixel_key, images[indices])
        eps = jax.random.normal(eps_key, (len(indices), state.latent_dim))
        state, mean_elbo, mean_kl = train_step(state, batch, eps)
        return state, (mean_elbo, mean_kl)

    keys = jax.random.split(jax.random.key(seed), len(order))
    state, (elbos, kls) = jax.lax.scan(step, state, (order, keys))
    return state, elbos, kls


def _bernoulli(key: Array, probs: Float[Array, "batch pixels"]) -> Float[Array, "batch pixels"]:
    # jax.random.bernoulli, which spends 32 random bits on a pixel, takes half as long again on a CPU. Here two pixels
    # share them: a probability is rounded up by at most 2^-16, and 0 and 1 stay as they are.
    batch, pixels = probs.shape
    words = jax.random.bits(key, (batch, -(-pixels // 2)), jnp.uint32)
    bits = jnp.concatenate([words >> 16, words & 0xFFFF], axis=1)[:, :pixels]
    return (bits.astype(jnp.float32) * 2**-16 < probs).astype(jnp.float32)
