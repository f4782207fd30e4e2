"""The model in PyTorch: encoder, reparameterization, decoder. No loss, no training."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from training.config import ModelConfig


def reparameterize(
    mean: Float[Tensor, "batch latent"], logvar: Float[Tensor, "batch latent"], eps: Float[Tensor, "batch latent"]
) -> Float[Tensor, "batch latent"]:
    """Return z = mean + eps * exp(logvar / 2), a draw from q(z|x) for eps ~ N(0, I).

    Kingma & Welling (2014), section 2.4, arXiv:1312.6114.
    """
    return mean + eps * torch.exp(logvar / 2)


class Encoder(nn.Module):
    """q(z|x): images to mean and logvar."""

    def __init__(self, config: ModelConfig) -> None:
        """Create the layers."""
        super().__init__()
        self.hidden = _dense(config.image_dim, config.hidden_dim)
        self.mean = _dense(config.hidden_dim, config.latent_dim)
        self.logvar = _dense(config.hidden_dim, config.latent_dim)

    def forward(
        self, images: Float[Tensor, "batch pixels"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Return mean and logvar."""
        hidden = torch.relu(self.hidden(images))
        return self.mean(hidden), self.logvar(hidden)


class Decoder(nn.Module):
    """p(x|z): z to logits of independent Bernoullis."""

    def __init__(self, config: ModelConfig) -> None:
        """Create the layers."""
        super().__init__()
        self.hidden = _dense(config.latent_dim, config.hidden_dim)
        self.logits = _dense(config.hidden_dim, config.image_dim)

    def forward(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pixels"]:
        """Return logits."""
        hidden = torch.relu(self.hidden(z))
        return self.logits(hidden)


class VAE(nn.Module):
    """The autoencoder: a pure function of images and noise."""

    def __init__(self, config: ModelConfig) -> None:
        """Create encoder and decoder."""
        super().__init__()
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def forward(
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


def _dense(in_features: int, out_features: int) -> nn.Linear:
    layer = nn.Linear(in_features, out_features)
    # PyTorch's defaults are kaiming_uniform for the kernel and a random bias.
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
