"""The model in Keras: encoder, reparameterization, decoder. No loss, no training."""

import keras
import tensorflow as tf
from jaxtyping import Float
from tensorflow import Tensor

from training.config import ModelConfig


def reparameterize(
    mean: Float[Tensor, "batch latent"], logvar: Float[Tensor, "batch latent"], eps: Float[Tensor, "batch latent"]
) -> Float[Tensor, "batch latent"]:
    """Return z = mean + eps * exp(logvar / 2), a draw from q(z|x) for eps ~ N(0, I).

    Kingma & Welling (2014), section 2.4, arXiv:1312.6114.
    """
    return mean + eps * tf.exp(logvar / 2)


class Encoder(keras.layers.Layer):
    """q(z|x): images to mean and logvar."""

    def __init__(self, config: ModelConfig, compute_dtype: str) -> None:
        """Create the layers."""
        super().__init__()
        self.hidden = _dense(config.hidden_dim, compute_dtype)
        self.mean = _dense(config.latent_dim, compute_dtype)
        self.logvar = _dense(config.latent_dim, compute_dtype)

    def call(
        self, images: Float[Tensor, "batch pixels"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Return mean and logvar."""
        hidden = tf.nn.relu(self.hidden(images))
        return self.mean(hidden), self.logvar(hidden)


class Decoder(keras.layers.Layer):
    """p(x|z): z to logits of independent Bernoullis."""

    def __init__(self, config: ModelConfig, compute_dtype: str) -> None:
        """Create the layers."""
        super().__init__()
        self.hidden = _dense(config.hidden_dim, compute_dtype)
        self.logits = _dense(config.image_dim, compute_dtype)

    def call(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pixels"]:
        """Return logits."""
        hidden = tf.nn.relu(self.hidden(z))
        return self.logits(hidden)


class VAE(keras.Model):
    """The autoencoder: a pure function of images and noise."""

    def __init__(self, config: ModelConfig, compute_dtype: str = "float32") -> None:
        """Create encoder and decoder."""
        super().__init__()
        self.encoder = Encoder(config, compute_dtype)
        self.decoder = Decoder(config, compute_dtype)

    def call(
        self, images: Float[Tensor, "batch pixels"], eps: Float[Tensor, "batch latent"]
    ) -> tuple[Float[Tensor, "batch pixels"], Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Return logits, mean and logvar."""
        mean, logvar = self.encode(images)
        z = reparameterize(mean, logvar, eps)
        return self.decode(z), mean, logvar

    def encode(
        self, images: Float[Tensor, "batch pixels"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Return mean and logvar of q(z|x)."""
        mean, logvar = self.encoder(images)
        return mean, logvar

    def decode(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pixels"]:
        """Return the logits of p(x|z)."""
        logits: Float[Tensor, "batch pixels"] = self.decoder(z)
        return logits


class _Bfloat16Dense(keras.layers.Dense):
    # Products in bfloat16 of weights that stay in float32, as what goes in and what comes out does.
    def call(self, inputs: Float[Tensor, "batch in_features"]) -> Float[Tensor, "batch units"]:
        return tf.cast(super().call(inputs), tf.float32)


def _dense(units: int, compute_dtype: str) -> keras.layers.Dense:
    # Keras would take the same; written out so that the three agree whatever its default becomes.
    bfloat16 = (_Bfloat16Dense, "mixed_bfloat16")
    dense, dtype = bfloat16 if compute_dtype == "bfloat16" else (keras.layers.Dense, "float32")
    return dense(units, dtype=dtype, kernel_initializer="glorot_uniform", bias_initializer="zeros")
