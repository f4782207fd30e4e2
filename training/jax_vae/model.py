"""The model in JAX: encoder, reparameterization, decoder. No loss, no training."""

import flax.linen as nn
import jax.numpy as jnp
from jax import Array
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
    compute_dtype: str

    def setup(self) -> None:
        """Create the layers."""
        self.hidden = _dense(self.config.hidden_dim, self.compute_dtype)
        self.mean = _dense(self.config.latent_dim, self.compute_dtype)
        self.logvar = _dense(self.config.latent_dim, self.compute_dtype)

    def __call__(
        self, images: Float[Array, "batch pixels"]
    ) -> tuple[Float[Array, "batch latent"], Float[Array, "batch latent"]]:
        """Return mean and logvar."""
        hidden = nn.relu(self.hidden(images))
        return self.mean(hidden), self.logvar(hidden)


class Decoder(nn.Module):
    """p(x|z): z to logits of independent Bernoullis."""

    config: ModelConfig
    compute_dtype: str

    def setup(self) -> None:
        """Create the layers."""
        self.hidden = _dense(self.config.hidden_dim, self.compute_dtype)
        self.logits = _dense(self.config.image_dim, self.compute_dtype)

    def __call__(self, z: Float[Array, "batch latent"]) -> Float[Array, "batch pixels"]:
        """Return logits."""
        hidden = nn.relu(self.hidden(z))
        return self.logits(hidden)


class VAE(nn.Module):
    """The autoencoder: a pure function of images and noise."""

    config: ModelConfig
    compute_dtype: str = "float32"

    def setup(self) -> None:
        """Create encoder and decoder."""
        self.encoder = Encoder(self.config, self.compute_dtype)
        self.decoder = Decoder(self.config, self.compute_dtype)

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
        mean, logvar = self.encoder(images)
        return mean, logvar

    def decode(self, z: Float[Array, "batch latent"]) -> Float[Array, "batch pixels"]:
        """Return the logits of p(x|z)."""
        logits: Float[Array, "batch pixels"] = self.decoder(z)
        return logits


class _Bfloat16Dense(nn.Dense):
    # Products in bfloat16 of weights that stay in float32, as what goes in and what comes out does.
    def __call__(self, inputs: Float[Array, "batch in_features"]) -> Float[Array, "batch features"]:
        return super().__call__(inputs).astype(jnp.float32)


def _dense(features: int, compute_dtype: str) -> nn.Dense:
    # Flax would take lecun_normal for the kernel.
    dense, dtype = (_Bfloat16Dense, jnp.bfloat16) if compute_dtype == "bfloat16" else (nn.Dense, jnp.float32)
    return dense(features, dtype=dtype, kernel_init=nn.initializers.glorot_uniform(), bias_init=nn.initializers.zeros)
