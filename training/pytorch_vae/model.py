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

    def __init__(self, config: ModelConfig, compute_dtype: str) -> None:
        """Create the layers."""
        super().__init__()
        self.hidden = _dense(config.image_dim, config.hidden_dim, compute_dtype)
        self.mean = _dense(config.hidden_dim, config.latent_dim, compute_dtype)
        self.logvar = _dense(config.hidden_dim, config.latent_dim, compute_dtype)

    def forward(
        self, images: Float[Tensor, "batch pixels"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Return mean and logvar."""
        hidden = torch.relu(self.hidden(images))
        return self.mean(hidden), self.logvar(hidden)


class Decoder(nn.Module):
    """p(x|z): z to logits of independent Bernoullis."""

    def __init__(self, config: ModelConfig, compute_dtype: str) -> None:
        """Create the layers."""
        super().__init__()
        self.hidden = _dense(config.latent_dim, config.hidden_dim, compute_dtype)
        self.logits = _dense(config.hidden_dim, config.image_dim, compute_dtype)

    def forward(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pixels"]:
        """Return logits."""
        hidden = torch.relu(self.hidden(z))
        logits: Float[Tensor, "batch pixels"] = self.logits(hidden)
        return logits


class VAE(nn.Module):
    """The autoencoder: a pure function of images and noise."""

    def __init__(self, config: ModelConfig, compute_dtype: str = "float32") -> None:
        """Create encoder and decoder."""
        super().__init__()
        self.encoder = Encoder(config, compute_dtype)
        self.decoder = Decoder(config, compute_dtype)

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
        mean, logvar = self.encoder(images)
        return mean, logvar

    def decode(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pixels"]:
        """Return the logits of p(x|z)."""
        logits: Float[Tensor, "batch pixels"] = self.decoder(z)
        return logits


class _Bfloat16Linear(nn.Linear):
    # Products in bfloat16 of weights that stay in float32, as what goes in and what comes out does.
    def forward(self, inputs: Float[Tensor, "batch in_features"]) -> Float[Tensor, "batch out_features"]:
        inputs, weight, bias = (array.to(torch.bfloat16) for array in (inputs, self.weight, self.bias))
        return nn.functional.linear(inputs, weight, bias).float()


def _dense(in_features: int, out_features: int, compute_dtype: str) -> nn.Linear:
    layer = (_Bfloat16Linear if compute_dtype == "bfloat16" else nn.Linear)(in_features, out_features)
    # PyTorch would take kaiming_uniform for the kernel and random numbers for the bias.
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
