"""Configuration of a comparison: frameworks, sections, options and the sizes of its measurements."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from training.checkpoints.checkpoint import load_checkpoint
from training.config import PRESETS, TrainConfig
from training.errors import CheckpointError

SECTIONS: Final = {
    "code": "code_size",
    "agreement": "agreement",
    "inference": "inference_speed",
    "training": "training_speed",
    "quality": "model_quality",
    "cross": "crossed_weights",
}
"""The package of each section, below `training.comparison`."""


def recipe(preset: str, epochs: int | None, *, seed: int = 0) -> TrainConfig:
    """Return the config of a whole run; `epochs` None for those of the preset."""
    config = replace(PRESETS[preset], seed=seed)
    return config if epochs is None else replace(config, epochs=epochs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Numbers of images, steps, processes, rounds and calls."""

    images: int
    """Training images, and the maximum number of validation images."""

    test_images: int
    """Test images of the quality figures."""

    draws: int
    """Draws of noise per test image, for the ELBO."""

    samples: int
    """Samples per test image, for the importance-weighted bound."""

    steps: tuple[int, ...]
    """Training steps after which the frameworks are compared; ascending."""

    probe_images: int
    """Images on which layers and logits are compared."""

    processes: int
    """Fresh processes per timing."""

    rounds: int
    """Timed epochs, or rounds of calls, in each process."""

    eager_steps: int
    """Steps timed instead of a whole epoch in eager mode."""

    extra_modes: bool
    """Time also the modes of a single framework, and inference compiled where it isn't by default."""

    train_batch_sizes: tuple[int, ...]
    """Images per training step, each timed in its own process."""

    batch_sizes: tuple[int, ...]
    """Images per inference call; ascending."""

    round_seconds: float
    """Minimum duration of a round of calls of one batch size."""


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
    extra_modes=True,
    train_batch_sizes=(32, 64, 128, 256, 512, 1024, 2048, 4096),
    batch_sizes=(1, 16, 32, 64, 256, 1024, 4096),
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
    extra_modes=False,
    train_batch_sizes=(64,),
    batch_sizes=(1, 16),
    round_seconds=0.0,
)
"""Smoke-test sizes: their results are meaningless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonConfig:
    """The options of `python -m training compare`."""

    frameworks: tuple[str, ...]
    """The measured frameworks."""

    installed: tuple[str, ...]
    """The frameworks of the parity check before any timing."""

    checkpoints: Path
    """Folder of FRAMEWORK/model.safetensors."""

    preset: str
    """The recipe of training and quality."""

    epochs: int | None
    """Epochs of the quality runs; None for those of the preset."""

    seeds: int
    """Number of quality runs per framework; their seeds count from 0."""

    device: str
    """Device of all measurements."""

    sizes: Sizes
    """Sizes of the measurements."""

    resume: bool
    """Keep results that exist already."""

    announce: Callable[[str], None]
    """Callback that shows the name of each measurement before it starts."""

    def checkpoint(self, framework: str) -> Path:
        """Return the path of a framework's checkpoint, after a check that it can be read.

        Raises:
            CheckpointError: It can't be read, or its images aren't 28 x 28.
        """
        path = self.checkpoints / framework / "model.safetensors"
        if load_checkpoint(path).model.image_shape != (28, 28):
            raise CheckpointError(f"{path}: expected a model of MNIST's images, 28 x 28: name another --checkpoints")
        return path
