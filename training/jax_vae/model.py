"""The model in JAX: encoder, reparameterization, decoder. No loss, no training."""

import flax.linen as nn
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from training.config import ModelConfig


def reparameterize(
    mean: Float[Array, "batch latent"], logvar: Float[Array, "batch latent"], eps: Float[Array, "batch latent"]
) -> Float[Array, "batch latent"]:
    """Return z = mean + eps * exp(logvar / 2), a draw from q(z|x) for eps ~ N(0, I).

    Kingma & Welling (2014), section 2.4, arXiv:1312.6114.
    """
    return mean + eps * jnp.exp(logvar / 2)


class Encoder(nn.Module):
    """q(z|x): images to mean and logvar."""

    config: ModelConfig
    dtype: DTypeLike

    def setup(self) -> None:
        """Create the layers."""
        self.hidden = _dense(self.config.hidden_dim, self.dtype)
        self.mean = _dense(self.config.latent_dim, self.dtype)
        self.logvar = _dense(self.config.latent_dim, self.dtype)

    def __call__(
        self, images: Float[Array, "batch pixels"]
    ) -> tuple[Float[Array, "batch latent"], Float[Array, "batch latent"]]:
        """Return mean and logvar."""
        hidden = nn.relu(self.hidden(images))
        return self.mean(hidden), self.logvar(hidden)


class Decoder(nn.Module):
    """p(x|z): z to logits of independent Bernoullis."""

    config: ModelConfig
    dtype: DTypeLike

    def setup(self) -> None:
        """Create the layers."""
        self.hidden = _dense(self.config.hidden_dim, self.dtype)
        self.logits = _dense(self.config.image_dim, self.dtype)

    def __call__(self, z: Float[Array, "batch latent"]) -> Float[Array, "batch pixels"]:
        """Return logits."""
        hidden = nn.relu(self.hidden(z))
        return self.logits(hidden)


class VAE(nn.Module):
    """The autoencoder: a pure function of images and noise."""

    config: ModelConfig
    dtype: DTypeLike = jnp.float32

    def setup(self) -> None:
        """Create encoder and decoder."""
        self.encoder = Encoder(self.config, self.dtype)
        self.decoder = Decoder(self.config, self.dtype)

    def __call__(
        self, images: Float[Array, "batch pixels"], eps: Float[Array, "batch latent"]
    ) -> tuple[Float[Array, "batch pixels"], Float[Array, "batch latent"], Float[Array, "batch latent"]]:
        """Return logits, mean and logvar."""
        mean, logvar = self.encode(images)
        z = reparameterize(mean, logvar, eps)
        return self.decode(z), mean, logvar

    def encode(
        self, images: Float[Array, "batch pixels"]
    ) -> tuple[Float[Array, "batch latent"], Float[Array, "batch latent"]]:
        """Return mean and logvar of q(z|x)."""
        return self.encoder(images)

    def decode(self, z: Float[Array, "batch latent"]) -> Float[Array, "batch pixels"]:
        """Return the logits of p(x|z)."""
        return self.decoder(z)


def _dense(features: int, dtype: DTypeLike) -> nn.Dense:
    # Flax's default for the kernel is lecun_normal.
    return nn.Dense(
        features, dtype=dtype, kernel_init=nn.initializers.glorot_uniform(), bias_init=nn.initializers.zeros
    )
