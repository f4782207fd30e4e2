"""TensorBoard's own reader of event files, kept from importing TensorFlow as the writer is."""

import training.reporting  # noqa: F401 -- says so to TensorBoard, before it is imported

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # isort: skip


def read(folder):
    """Return TensorBoard's reader of a folder, with everything that is in it."""
    accumulator = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0, "tensors": 0})
    accumulator.Reload()
    return accumulator


def steps(folder, tag):
    """Return the steps and values of a tag of scalars."""
    return [(event.step, event.value) for event in read(folder).Scalars(tag)]
