"""TensorFlow in the comparison: execution modes, training steps on given batches, a trained model layer by layer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from jaxtyping import Float32
from numpy import ndarray

from training.checkpoints.checkpoint import Weights
from training.comparison.backends.layers import layer_outputs
from training.config import ModelConfig, TrainConfig
from training.errors import CompilerError
from training.machine import count_cores
from training.tensorflow_vae.device import device_name, select_device
from training.tensorflow_vae.model import VAE, reparameterize
from training.tensorflow_vae.train import create_train_state, train_step
from training.tensorflow_vae.weights import export_weights, import_weights


@contextmanager
def execution_mode(mode: str, *, cache: str | None = None) -> Iterator[dict[str, Any]]:
    """Train compiled, as a graph with XLA steps, or eagerly, one operation at a time; yield `Trainer` options.

    Raises:
        CompilerError: There is a `cache`: TensorFlow keeps no compiled code of a `tf.function`.
    """
    if cache is not None:
        raise CompilerError("TensorFlow keeps no compiled code of a tf.function between processes")
    tf.config.run_functions_eagerly(run_eagerly=mode == "eager")
    try:
        yield {}
    finally:
        tf.config.run_functions_eagerly(run_eagerly=False)


def count_threads() -> int:
    """Return how many threads an operation may use."""
    return tf.config.threading.get_intra_op_parallelism_threads() or count_cores()  # 0: one for each core


class Replay:
    """The steps of a training run on given batches and noise. Draws nothing at random."""

    def __init__(
        self, model_config: ModelConfig, config: TrainConfig, weights: Weights, *, steps_per_epoch: int, device: str
    ) -> None:
        """Start from the weights."""
        select_device(device)
        self._state = create_train_state(model_config, config, steps_per_epoch=steps_per_epoch, weights=weights)

    def step(self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]) -> float:
        """Take a step and return the loss before it: the mean negative ELBO of the batch, in nats."""
        mean_elbo, _ = train_step(self._state, tf.constant(images), tf.constant(eps))
        return -float(mean_elbo)

    def weights(self) -> Weights:
        """Return the trained weights, not their average."""
        return export_weights(self._state.model.get_weights())


class Inference:
    """A trained model on a device, a `tf.function` traced once for all batch sizes; compiled by XLA on request."""

    def __init__(self, model_config: ModelConfig, weights: Weights, *, device: str, compiled: bool = False) -> None:
        """Load the weights."""
        self.device = device_name(select_device(device))
        self._model = VAE(model_config)
        self._model.set_weights(import_weights(weights))
        lengths = (model_config.image_dim, model_config.latent_dim)
        signature = [tf.TensorSpec((None, length), tf.float32) for length in lengths]
        self._call = tf.function(self._model.__call__, input_signature=signature, jit_compile=compiled)

    def reconstruct(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"], Float32[ndarray, "batch latent"]]:
        """Return logits, mean and logvar."""
        logits, mean, logvar = self._call(tf.constant(images), tf.constant(eps))
        return logits.numpy(), mean.numpy(), logvar.numpy()

    def layer_outputs(
        self, images: Float32[ndarray, "batch pixels"], eps: Float32[ndarray, "batch latent"]
    ) -> dict[str, Float32[ndarray, "batch units"]]:
        """Return the output of each layer and z, in the order of the forward pass."""
        arrays = tf.constant(images), tf.constant(eps)
        outputs = layer_outputs(self._model, *arrays, relu=tf.nn.relu, reparameterize=reparameterize)
        return {name: array.numpy() for name, array in outputs.items()}
