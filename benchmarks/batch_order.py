"""The order in which the benchmarks' epochs take images."""

import numpy as np
from jaxtyping import Int32
from numpy import ndarray


def draw_order(
    random: np.random.Generator, images: int, *, steps: int, batch_size: int
) -> Int32[ndarray, "steps batch"]:
    """Return shuffled image indices, one row per step; the remainder is left out."""
    return random.permutation(images).astype(np.int32)[: steps * batch_size].reshape(steps, -1)
