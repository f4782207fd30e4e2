"""What the three trainers have in common: what `training.loop` drives, and the state it keeps. Imports no framework."""

from dataclasses import dataclass
from typing import Protocol

from jaxtyping import Float32, Int32
from numpy import ndarray

from training.checkpoint import Weights

StepFigures = tuple[Float32[ndarray, "steps"], Float32[ndarray, "steps"]]
"""Mean ELBO and mean KL of the batch of each step, in nats per image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerState:
    """Everything that a trainer's next step depends on; arrays by canonical name, as in a checkpoint."""

    step: int
    """Steps taken: where schedule, average and Adam's bias correction are."""

    weights: Weights
    """The weights that are trained."""

    ema_weights: Weights
    """Their moving average."""

    first_moments: Weights
    """Adam's mean of the gradient of each weight."""

    second_moments: Weights
    """Adam's mean of its square."""


class Trainer(Protocol):
    """One framework's training run, in memory."""

    framework: str
    framework_version: str
    device: str

    def train_epoch(self, order: Int32[ndarray, "steps batch"], *, seed: int) -> StepFigures:
        """Train on the images in this order and return the mean ELBO and KL of each batch, in nats."""
        ...

    def weights(self) -> Weights:
        """Return the averaged weights in canonical form."""
        ...

    def state(self) -> TrainerState:
        """Return everything that the next step depends on."""
        ...

    def restore(self, state: TrainerState) -> None:
        """Go on from where another trainer was."""
        ...
