"""Checks of a run that need no framework, so that what can't be trained is refused before anything is."""

import math
from typing import Final

from training.checkpoints.checkpoint import weight_shapes
from training.config import ModelConfig, TrainConfig
from training.counts import count_of
from training.data import Dataset
from training.errors import ConfigError, DataError
from training.machine import may_have_gpu, physical_memory

_TRAINER_COPIES: Final = 4
"""Arrays of the weights' shapes that a trainer holds: weights, Adam's two moments and the moving average."""

_HOST_COPIES: Final = 14
"""Those beside them while a state is saved: epoch's and best weights, then the state itself three times."""


def check_run(model: ModelConfig, config: TrainConfig, dataset: Dataset, *, device: str, devices: int = 1) -> None:
    """Check that a run can train on these images, as far as is known without its framework.

    Raises:
        ConfigError: A CPU doesn't support the compute dtype, a batch can't be divided among the devices, or the run is
            larger than this machine's memory.
        DataError: There are fewer training images than the batch size.
    """
    if len(dataset.train) < config.batch_size:
        raise DataError(
            f"{dataset.name} has {count_of(len(dataset.train), 'training image')}: expected at least one batch of "
            f"{config.batch_size}; choose a smaller batch size"
        )
    if config.batch_size % devices:
        raise ConfigError(f"batch_size is {config.batch_size}: expected a multiple of the {devices} devices")
    on_cpu = device == "cpu" or (device == "auto" and not may_have_gpu())
    if on_cpu:
        check_cpu_dtype(config)
    check_memory(model, dataset, on_cpu=on_cpu)


def check_cpu_dtype(config: TrainConfig) -> None:
    """Check that a CPU supports the compute dtype.

    Raises:
        ConfigError: It doesn't.
    """
    if config.compute_dtype == "tf32":
        raise ConfigError("compute_dtype is 'tf32', which a CPU hasn't: expected float32 or bfloat16 there")


def check_memory(model: ModelConfig, dataset: Dataset, *, on_cpu: bool) -> None:
    """Check that a training fits into this machine's memory; `on_cpu` is True if the trainer's arrays are there too.

    Batches and the framework itself come on top: what is refused surely doesn't fit.

    Raises:
        ConfigError: It is larger: the system would end the process without a message.
    """
    weights = sum(math.prod(shape) for shape in weight_shapes(model).values())
    levels = dataset.train.size + dataset.validation.size + dataset.test.size
    floats = 4 * dataset.train.size
    at_start = levels + floats + on_cpu * (floats + 4 * _TRAINER_COPIES * weights)
    at_save = levels + 4 * _HOST_COPIES * weights + on_cpu * (floats + 4 * _TRAINER_COPIES * weights)
    needed, available = max(at_start, at_save), physical_memory()
    if needed > available:
        height, width = model.image_shape
        raise ConfigError(
            f"training {weights:,} weights ({height}x{width} pixels, {model.hidden_dim} hidden units, "
            f"{model.latent_dim} latents) on {count_of(len(dataset.train), 'image')} takes at least "
            f"{needed / 2**30:,.1f} GiB: expected at most the {available / 2**30:,.1f} GiB that this process may use; "
            "use smaller or fewer images, or fewer units"
        )
