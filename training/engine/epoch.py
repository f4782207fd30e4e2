"""Metrics of one epoch of a run. Measures nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """Metrics of one epoch, in nats per image."""

    number: int
    """Number of the epoch, from 1."""

    seconds: float
    """Wall time of the epoch, without validation."""

    train_elbo: float
    """Mean over the batches of the epoch, on binarized images, with the weights of each step."""

    train_kl: float
    """Likewise."""

    validation_elbo: float
    """Mean over the validation images after the epoch, with the averaged weights."""

    validation_kl: float
    """Likewise."""

    best: bool
    """The validation ELBO is the highest so far, and the checkpoint was written."""
