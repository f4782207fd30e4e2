"""Random binary images in JAX, faster than the framework's own Bernoulli. Draws no latent noise."""

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float


def bernoulli(rng: Array, probs: Float[Array, "batch pixels"]) -> Float[Array, "batch pixels"]:
    """Return independent draws of 0 or 1, with the probability of a 1 rounded up to a multiple of 2^-16.

    Args:
        rng: A key; the same key gives the same draws.
        probs: In [0, 1]; 0 and 1 are exact.
    """
    # jax.random.bernoulli, with 32 random bits per pixel, takes half as long again on a CPU. Here two pixels share
    # them.
    batch, pixels = probs.shape
    words = jax.random.bits(rng, (batch, -(-pixels // 2)), jnp.uint32)
    bits = jnp.concatenate([words >> 16, words & 0xFFFF], axis=1)[:, :pixels]
    return (bits.astype(jnp.float32) * 2**-16 < probs).astype(jnp.float32)
