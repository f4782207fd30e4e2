"""The public part of a checkpoint's metadata: data set, recipe and metrics, but no folder and no command."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from training.checkpoints.checkpoint import Checkpoint
from training.config import TrainConfig
from training.data.names import display_name

_SHOWN: Final = (*(field.name for field in fields(TrainConfig)), "device", "machine")


@dataclass(frozen=True, slots=True)
class Summary:
    """A checkpoint's data set and target."""

    dataset: str
    """Display name."""

    target: str | None
    """Binarization of the test images; None for a checkpoint without test metrics."""

    measured_on: tuple[object, ...]
    """Comparison key: metrics of two checkpoints are comparable if their keys are equal."""


def summarize(checkpoint: Checkpoint) -> Summary:
    """Return a checkpoint's data set and target."""
    training, metrics = checkpoint.training, checkpoint.metrics
    dataset = str(training.get("dataset", "unknown data"))
    target = metrics.get("test_target")
    measured_on = (display_name(dataset), target, checkpoint.model.image_shape, metrics.get("test_images"))
    return Summary(display_name(dataset), target, measured_on)


def describe_test_elbo(checkpoint: Checkpoint) -> str:
    """Return the test ELBO with its standard error and target, such as `-93.81 +- 0.25 nats (target fixed)`."""
    elbo = checkpoint.metrics.get("test_elbo")
    if elbo is None:
        return "not measured"
    error = checkpoint.metrics.get("test_elbo_standard_error")
    spread = "" if error is None else f" +- {error:.2f}"
    target = checkpoint.metrics.get("test_target")
    return f"{elbo:.2f}{spread} nats" + (f" (target {target})" if target else "")


def public_training(checkpoint: Checkpoint) -> Mapping[str, Any]:
    """Return the options of the run, with the data set's display name, and without the command."""
    options = {name: value for name in _SHOWN if (value := checkpoint.training.get(name)) is not None}
    if "dataset" in options:
        options["dataset"] = display_name(str(options["dataset"]))
    return options
