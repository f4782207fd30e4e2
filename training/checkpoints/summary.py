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


def summarize(checkpoint: Checkpoint) -> Summary:
    """Return a checkpoint's data set and target."""
    dataset = str(checkpoint.training.get("dataset", "unknown data"))
    return Summary(display_name(dataset), checkpoint.metrics.get("test_target"))


def are_measured_alike(first: Checkpoint, second: Checkpoint) -> bool:
    """Return whether the test metrics of two checkpoints are of the same images and target, so that they compare.

    Those of a checkpoint that wasn't measured would be of the same target.
    """
    checkpoints = (first, second)
    targets = {
        (checkpoint.metrics.get("test_target"), checkpoint.metrics.get("test_images"))
        for checkpoint in checkpoints
        if "test_elbo" in checkpoint.metrics
    }
    by_digest = all(checkpoint.training.get("data_sha256") for checkpoint in checkpoints)
    return len(targets) <= 1 and len({_trained_on(checkpoint, by_digest=by_digest) for checkpoint in checkpoints}) == 1


def _trained_on(checkpoint: Checkpoint, *, by_digest: bool) -> tuple[object, ...]:
    training = checkpoint.training
    if by_digest:  # of the shape and the images of all splits, inverted if they were; older checkpoints have none
        return (training["data_sha256"],)
    return (summarize(checkpoint).dataset, bool(training.get("invert")), checkpoint.model.image_shape)


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
