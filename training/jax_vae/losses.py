"""The evidence lower bound in JAX and its two parts, in nats per image."""

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float


@jax.vmap
def binary_cross_entropy_with_logits(
    logits: Float[Array, "pixels"], images: Float[Array, "pixels"]
) -> Float[Array, ""]:
    """Return -log p(x|z) of an image under independent Bernoullis, summed over pixels.

    Stable for any logits: the sigmoid and its logarithm are never computed separately.
    """
    losses = optax.sigmoid_binary_cross_entropy(logits, images)
    return jnp.sum(losses)


@jax.vmap
def kl_divergence(mean: Float[Array, "latent"], logvar: Float[Array, "latent"]) -> Float[Array, ""]:
    """Return KL(q(z|x) || N(0, I)) of an image, summed over latents.

    Closed form of Kingma & Welling (2014), Appendix B, arXiv:1312.6114.
    """
    return 0.5 * jnp.sum(jnp.exp(logvar) + jnp.square(mean) - 1 - logvar)


def elbo(
    logits: Float[Array, "batch pixels"],
    images: Float[Array, "batch pixels"],
    mean: Float[Array, "batch latent"],
    logvar: Float[Array, "batch latent"],
) -> Float[Array, "batch"]:
    """Return the evidence lower bound of each image: log-likelihood minus KL, to be maximized."""
    log_likelihood = -binary_cross_entropy_with_logits(logits, images)
    return log_likelihood - kl_divergence(mean, logvar)
