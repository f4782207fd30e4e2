"""What a comparison is asked to do: which frameworks and sections, with what, and how much of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.checkpoint import load_checkpoint
from training.comparison.sizes import Sizes
from training.errors import CheckpointError

SECTIONS: Final = ("code", "agreement", "inference", "training", "quality")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The options of `python -m training compare`."""

    frameworks: tuple[str, ...]
    """Those that are measured."""

    installed: tuple[str, ...]
    """Those that are held beside each other before any is timed."""

    checkpoints: Path
    """Folder of FRAMEWORK/model.safetensors."""

    preset: str
    """The recipe of training and quality."""

    epochs: int | None
    """Epochs of the quality runs, where not the recipe's."""

    seeds: int
    """Quality runs of each framework, with seeds from 0."""

    device: str
    """Where all is computed."""

    sizes: Sizes
    """How much is measured."""

    resume: bool
    """Leave what the record has already as it is."""

    tell: Callable[[str], None]
    """Is told of each measurement before it begins."""

    def checkpoint(self, framework: str) -> Path:
        """Return a framework's checkpoint, which can be read.

        Raises:
            CheckpointError: It can't.
        """
        path = self.checkpoints / framework / "model.safetensors"
        if load_checkpoint(path).model.image_shape != (28, 28):
            raise CheckpointError(f"{path}: expected a model of MNIST's images, 28 x 28: name another --checkpoints")
        return path
