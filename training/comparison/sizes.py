"""How much a comparison measures: enough for figures, or just enough to see that all of it works."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Counts of everything that is repeated."""

    images: int
    """Training images, and at most as many for validation."""

    test_images: int
    """Test images of the quality figures."""

    draws: int
    """Draws of noise for each test image, of the ELBO."""

    samples: int
    """Samples for each test image of the importance-weighted bound."""

    steps: tuple[int, ...]
    """Training steps after which the frameworks are held beside each other; ascending."""

    probe_images: int
    """Images on which layers and logits are held beside each other."""

    processes: int
    """Fresh processes of every timing."""

    rounds: int
    """Timed epochs, or rounds of calls, in each process."""

    eager_steps: int
    """Steps that stand for an epoch where operations run one by one, in place of all."""

    batch_sizes: tuple[int, ...]
    """Images in a call of inference."""

    round_seconds: float
    """Least length of a round of calls of one batch size."""


FULL: Final = Sizes(
    images=50_000,
    test_images=10_000,
    draws=10,
    samples=500,
    steps=(1, 25, 1000),
    probe_images=256,
    processes=3,
    rounds=3,
    eager_steps=20,
    batch_sizes=(1, 16, 64, 256, 1024),
    round_seconds=0.3,
)

SMOKE: Final = Sizes(
    images=600,
    test_images=50,
    draws=1,
    samples=2,
    steps=(1, 2),
    probe_images=8,
    processes=1,
    rounds=2,
    eager_steps=1,
    batch_sizes=(1, 16),
    round_seconds=0.0,
)
"""For tests: its figures say nothing."""
