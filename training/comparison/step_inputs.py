"""Inputs of a training step that NumPy draws, the same for all frameworks."""

import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray


def draw_inputs(
    images: UInt8[ndarray, "batch pixels"], latent_dim: int, random: np.random.Generator
) -> tuple[Float32[ndarray, "batch pixels"], Float32[ndarray, "batch latent"]]:
    """Return the images made binary, each pixel white with the probability of its intensity, and the noise."""
    batch = (random.integers(0, 255, images.shape, np.uint8) < images).astype(np.float32)
    return batch, random.standard_normal((len(images), latent_dim), dtype=np.float32)
