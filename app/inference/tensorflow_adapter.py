"""The adapter of TensorFlow: one graph for each method, traced once for any batch size."""

from contextlib import suppress

import tensorflow as tf
from jaxtyping import Float32
from numpy import ndarray

from app.inference.adapter import warm_up
from training.checkpoint import Checkpoint
from training.tensorflow_vae.device import device_name, select_device
from training.tensorflow_vae.model import VAE
from training.tensorflow_vae.weights import import_weights


class TensorflowAdapter:
    """A checkpoint in TensorFlow; see `app.inference.adapter.Adapter`."""

    framework = "tensorflow"
    framework_version = tf.__version__

    def __init__(self, checkpoint: Checkpoint, *, device: str, threads: int) -> None:
        """Load the weights onto the device and trace.

        Raises:
            DeviceError: The device isn't available.
        """
        with suppress(RuntimeError):  # it has computed before, and can't change any more
            # The model is a chain: there is nothing to be done side by side.
            tf.config.threading.set_inter_op_parallelism_threads(1)
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        self.threads = tf.config.threading.get_intra_op_parallelism_threads() or threads
        self.device = device_name(select_device(device))
        self.model = checkpoint.model
        images = tf.TensorSpec((None, self.model.image_dim), tf.float32)
        z = tf.TensorSpec((None, self.model.latent_dim), tf.float32)
        vae = VAE(self.model)
        vae(
            tf.zeros((1, self.model.image_dim)), tf.zeros((1, self.model.latent_dim))
        )  # the layers create their weights
        vae.set_weights(import_weights(checkpoint.weights))
        self._encode = tf.function(vae.encode, input_signature=[images])
        self._decode = tf.function(vae.decode, input_signature=[z])
        self._reconstruct = tf.function(vae.__call__, input_signature=[images, z])
        warm_up(self)

    def encode(
        self, images: Float32[ndarray, "batch pixels"]
    ) -> tuple[Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return mean and logvar of q(z|x)."""
        mean, logvar = self._encode(tf.constant(images))
        return mean.numpy(), logvar.numpy()

    def decode(self, z: Float32[ndarray, "batch latent"]) -> Float32[ndarray, "batch pixels"]:
        """Return the logits of p(x|z)."""
        logits: Float32[ndarray, "batch pixels"] = self._decode(tf.constant(z)).numpy()
        return logits

    def reconstruct(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return logits, mean and logvar with z = mean + eps * exp(logvar / 2)."""
        logits, mean, logvar = self._reconstruct(tf.constant(images), tf.constant(eps))
        return logits.numpy(), mean.numpy(), logvar.numpy()

    def count_compilations(self) -> int:
        """Return how many graphs have been traced."""
        functions = (self._encode, self._decode, self._reconstruct)
        return sum(function.experimental_get_tracing_count() for function in functions)
