"""Random binary images in TensorFlow. Draws no latent noise."""

import tensorflow as tf
from jaxtyping import Float, Int32
from tensorflow import Tensor


def bernoulli(rng: Int32[Tensor, "2"], probs: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
    """Return independent draws of 0 or 1.

    Args:
        rng: The seed of a stateless operation; the same seed gives the same draws.
        probs: Probability of a 1, in [0, 1].
    """
    uniform = tf.random.stateless_uniform(probs.shape, seed=rng)
    return tf.cast(uniform < probs, tf.float32)
