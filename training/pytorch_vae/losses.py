"""The evidence lower bound in PyTorch and its two parts, in nats per image."""

import torch
import torch.nn.functional as F  # noqa: N812 -- as all PyTorch code has it
from jaxtyping import Float
from torch import Tensor


def binary_cross_entropy_with_logits(
    logits: Float[Tensor, "batch pixels"], images: Float[Tensor, "batch pixels"]
) -> Float[Tensor, "batch"]:
    """Return -log p(x|z) of each image under independent Bernoullis, summed over pixels.

    Stable for any logits: the sigmoid and its logarithm are never computed separately.
    """
    losses = F.binary_cross_entropy_with_logits(logits, images, reduction="none")
    return torch.sum(losses, dim=-1)


def kl_divergence(mean: Float[Tensor, "batch latent"], logvar: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch"]:
    """Return KL(q(z|x) || N(0, I)) of each image, summed over latents.

    Closed form of Kingma & Welling (2014), Appendix B, arXiv:1312.6114.
    """
    return 0.5 * torch.sum(torch.exp(logvar) + torch.square(mean) - 1 - logvar, dim=-1)


def elbo(
    logits: Float[Tensor, "batch pixels"],
    images: Float[Tensor, "batch pixels"],
    mean: Float[Tensor, "batch latent"],
    logvar: Float[Tensor, "batch latent"],
) -> Float[Tensor, "batch"]:
    """Return the evidence lower bound of each image: log-likelihood minus KL, to be maximized."""
    log_likelihood = -binary_cross_entropy_with_logits(logits, images)
    return log_likelihood - kl_divergence(mean, logvar)
