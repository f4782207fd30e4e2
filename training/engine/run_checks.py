"""Checks of a run that need no framework, so that what can't be trained is refused before anything is."""

from training.config import ModelConfig, TrainConfig
from training.counts import count_of
from training.data import Dataset
from training.engine.memory_check import check_memory
from training.errors import ConfigError, DataError
from training.machine import may_have_gpu


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
