"""Base class of the trainers, driven by `training.engine.run`, and their saved state. Imports no framework."""

from dataclasses import dataclass
from typing import Protocol

from jaxtyping import Float32, Int32
from numpy import ndarray

from training.checkpoints.checkpoint import Weights

StepFigures = tuple[Float32[ndarray, "steps"], Float32[ndarray, "steps"]]
"""Mean ELBO and mean KL of the batch of each step, in nats per image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerState:
    """Complete state of a trainer between steps; arrays by canonical name, as in a checkpoint."""

    step: int
    """Completed steps; schedule, moving average and Adam's bias correction depend on it."""

    weights: Weights
    """The trained weights."""

    ema_weights: Weights
    """Their moving average."""

    first_moments: Weights
    """Adam's mean of the gradient of each weight."""

    second_moments: Weights
    """Adam's mean of the squared gradient of each weight."""


class Trainer(Protocol):
    """One framework's training run, in memory."""

    framework: str
    framework_version: str
    device: str

    def train_epoch(self, order: Int32[ndarray, "steps batch"], *, seed: int) -> StepFigures:
        """Train for one epoch in the given image order; return mean ELBO and KL of each batch, in nats."""
        ...

    def weights(self) -> Weights:
        """Return the averaged weights in canonical form."""
        ...

    def state(self) -> TrainerState:
        """Return the complete state."""
        ...

    def restore(self, state: TrainerState) -> None:
        """Load the state of another trainer."""
        ...


def describe_trainer(trainer: Trainer) -> dict[str, str]:
    """Return the framework, its version and the device, for a run's description."""
    return {name: getattr(trainer, name) for name in ("framework", "framework_version", "device")}
