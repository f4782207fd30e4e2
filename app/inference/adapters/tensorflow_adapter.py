"""The adapter of TensorFlow: a graph for each method, traced once for any batch size; on a GPU compiled by XLA."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import tensorflow as tf
from jaxtyping import Float, Float32
from numpy import ndarray
from tensorflow import Tensor

from app.inference.adapters.base import MAX_BATCH, Tensors, warm_up
from app.inference.adapters.local_adapter import BatchLimit, LocalAdapter, Method
from app.inference.adapters.packed_calls import LARGEST, PackedCalls, warm_up_packed
from app.process_tuning import count_threads
from training.checkpoints.checkpoint import Checkpoint
from training.config import ModelConfig
from training.tensorflow_vae.device import describe_device, device_name, is_out_of_memory, select_device
from training.tensorflow_vae.model import VAE
from training.tensorflow_vae.weights import import_weights


class TensorflowAdapter(LocalAdapter):
    """A checkpoint in TensorFlow."""

    framework = "tensorflow"
    framework_version = tf.__version__

    def __init__(self, checkpoint: Checkpoint, *, device: str, threads: int) -> None:
        """Load the weights onto the device and trace.

        Raises:
            DeviceError: The device isn't available.
        """
        with suppress(RuntimeError):  # this process has computed already: the number is fixed
            # The model is a chain of layers: no operations can run in parallel.
            tf.config.threading.set_inter_op_parallelism_threads(1)
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        self.threads = tf.config.threading.get_intra_op_parallelism_threads() or count_threads()
        place = select_device(device)
        self.device = device_name(place)
        self.details = describe_device(place)
        self.model = checkpoint.model
        vae = VAE(self.model)
        vae(
            tf.zeros((1, self.model.image_dim)), tf.zeros((1, self.model.latent_dim))
        )  # the layers create their weights
        vae.set_weights(import_weights(checkpoint.weights))
        self._packed: PackedCalls | None = None
        if self.device == "cpu":
            self.limit = BatchLimit(MAX_BATCH, is_out_of_memory)
            self._functions = _trace(vae, self.model)
            warm_up(self)
        else:
            self.limit = BatchLimit(LARGEST, is_out_of_memory)
            self._functions = _compile_packed(vae, self.model)
            self._packed = PackedCalls(self.model, self._compute_packed)
            warm_up_packed(self.model, self._packed, self.limit)

    def compute(self, method: Method, *inputs: ndarray) -> Tensors:
        """Return a method's outputs for at most `max_batch` rows."""
        if self._packed is not None:
            return self._packed(method, *inputs)
        outputs = self._functions[method](*(tf.constant(array) for array in inputs))
        return tuple(output.numpy() for output in outputs)

    def count_compilations(self) -> int:
        """Return the number of traced graphs."""
        return sum(function.experimental_get_tracing_count() for function in self._functions.values())

    def _compute_packed(
        self, method: Method, packed: Float32[ndarray, "size columns"]
    ) -> Float32[ndarray, "size columns"]:
        outputs: Float32[ndarray, "size columns"] = self._functions[method](tf.constant(packed)).numpy()
        return outputs


def _trace(vae: VAE, model: ModelConfig) -> dict[Method, Any]:
    """Return the methods as graphs. They have no control flow that AutoGraph, which parses source, would translate."""
    images = tf.TensorSpec((None, model.image_dim), tf.float32)
    z = tf.TensorSpec((None, model.latent_dim), tf.float32)
    return {
        "encode": tf.function(vae.encode, input_signature=[images], autograph=False),
        "decode": tf.function(lambda z: (vae.decode(z),), input_signature=[z], autograph=False),
        "reconstruct": tf.function(vae.__call__, input_signature=[images, z], autograph=False),
    }


def _compile_packed(vae: VAE, model: ModelConfig) -> dict[Method, Any]:
    """Return the methods with their inputs as columns of one tensor, and their outputs likewise, compiled by XLA."""
    pixels, latent = model.image_dim, model.latent_dim

    def encode(images: Float[Tensor, "size pixels"]) -> Float[Tensor, "size columns"]:
        return tf.concat(vae.encode(images), axis=1)

    def decode(z: Float[Tensor, "size latent"]) -> Float[Tensor, "size pixels"]:
        return vae.decode(z)

    def reconstruct(packed: Float[Tensor, "size columns"]) -> Float[Tensor, "size columns"]:
        return tf.concat(vae(packed[:, :pixels], packed[:, pixels : pixels + latent]), axis=1)

    functions: dict[Method, Callable[..., Any]] = {"encode": encode, "decode": decode, "reconstruct": reconstruct}
    # XLA compiles for each size that the graph, which is traced once, is called with.
    widths: dict[Method, int] = {"encode": pixels, "decode": latent, "reconstruct": pixels + 2 * latent}
    return {
        method: tf.function(
            function,
            input_signature=[tf.TensorSpec((None, widths[method]), tf.float32)],
            jit_compile=True,
            autograph=False,
        )
        for method, function in functions.items()
    }
