"""The order in which an epoch takes the images. Depends on the generator alone; imports no framework."""

import numpy as np
from jaxtyping import Int32
from numpy import ndarray


def draw_order(
    random: np.random.Generator, images: int, *, batch_size: int, steps: int | None = None
) -> Int32[ndarray, "steps batch"]:
    """Return shuffled image indices, one row for each whole batch or for the first `steps`; the rest is left out."""
    whole = images // batch_size
    steps = whole if steps is None else min(steps, whole)
    return random.permutation(images).astype(np.int32)[: steps * batch_size].reshape(steps, batch_size)
