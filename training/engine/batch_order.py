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


def draw_epoch(images: int, *, batch_size: int, seed: int, epoch: int) -> tuple[Int32[ndarray, "steps batch"], int]:
    """Return the order of a run's epoch, and the seed of its pixels and noise.

    Both depend on the run's seed and the epoch's number alone, so that a resumed run repeats them exactly.
    """
    order_seed, noise_seed = np.random.SeedSequence([seed, epoch]).generate_state(2)
    return draw_order(np.random.default_rng(order_seed), images, batch_size=batch_size), int(noise_seed >> 1)
