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

    def __init__(self, config: ModelConfig) -> None:
        """Create the layers."""
        super().__init__()
        self.hidden = _dense(config.hidden_dim)
        self.mean = _dense(config.latent_dim)
        self.logvar = _dense(config.latent_dim)

    def call(
        self, images: Float[Tensor, "batch pixels"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Return mean and logvar."""
        hidden = tf.nn.relu(self.hidden(images))
        return self.mean(hidden), self.logvar(hidden)


class Decoder(keras.layers.Layer):
    """p(x|z): z to logits of independent Bernoullis."""

    def __init__(self, config: ModelConfig) -> None:
        """Create the layers."""
        super().__init__()
        self.hidden = _dense(config.hidden_dim)
        self.logits = _dense(config.image_dim)

    def call(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pixels"]:
        """Return logits."""
        hidden = tf.nn.relu(self.hidden(z))
        return self.logits(hidden)


class VAE(keras.Model):
    """The autoencoder: a pure function of images and noise."""

    def __init__(self, config: ModelConfig) -> None:
        """Create encoder and decoder."""
        super().__init__()
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self(tf.zeros((1, config.image_dim)), tf.zeros((1, config.latent_dim)))  # the layers create their weights

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
        return self.encoder(images)

    def decode(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pixels"]:
        """Return the logits of p(x|z)."""
        return self.decoder(z)


def _dense(units: int) -> keras.layers.Dense:
    # These are Keras's defaults, written out so that a change of defaults can't separate the three frameworks.
    return keras.layers.Dense(units, kernel_initializer="glorot_uniform", bias_initializer="zeros")
