"""A trained Keras model, for a comparison: one compiled call, and each layer's outputs. Not the service's adapter."""

import tensorflow as tf
from jaxtyping import Float, Float32
from numpy import ndarray
from tensorflow import Tensor

from training.checkpoint import Weights
from training.config import ModelConfig
from training.tensorflow_vae.device import device_name, select_device
from training.tensorflow_vae.model import VAE, reparameterize
from training.tensorflow_vae.weights import import_weights


class Inference:
    """Weights on a device, with the model compiled: `tf.function`, once for any batch size."""

    def __init__(self, model_config: ModelConfig, weights: Weights, *, device: str) -> None:
        """Load the weights onto the device."""
        self.device = device_name(select_device(device))
        self._model = VAE(model_config)
        images, eps = (tf.zeros((1, length)) for length in (model_config.image_dim, model_config.latent_dim))
        self._model(images, eps)  # the layers create their weights
        self._model.set_weights(import_weights(weights))
        signature = [tf.TensorSpec((None, array.shape[1]), tf.float32) for array in (images, eps)]
        self._call = tf.function(self._model.__call__, input_signature=signature)

    def reconstruct(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return logits, mean and logvar."""
        logits, mean, logvar = self._call(tf.constant(images), tf.constant(eps))
        return logits.numpy(), mean.numpy(), logvar.numpy()

    def layer_outputs(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> dict[str, Float32[ndarray, "batch units"]]:
        """Return what each layer gives, hidden ones after their rectifier, and z, in the order of the forward pass."""
        outputs = _layer_outputs(self._model, tf.constant(images), tf.constant(eps))
        return {name: array.numpy() for name, array in outputs.items()}


def _layer_outputs(
    model: VAE, images: Float[Tensor, "batch pixels"], eps: Float[Tensor, "batch latent"]
) -> dict[str, Float[Tensor, "batch units"]]:
    encoded = tf.nn.relu(model.encoder.hidden(images))
    mean, logvar = model.encoder.mean(encoded), model.encoder.logvar(encoded)
    z = reparameterize(mean, logvar, eps)
    decoded = tf.nn.relu(model.decoder.hidden(z))
    return {
        "encoder.hidden": encoded,
        "encoder.mean": mean,
        "encoder.logvar": logvar,
        "z": z,
        "decoder.hidden": decoded,
        "decoder.logits": model.decoder.logits(decoded),
    }
