"""Training speed of one framework in one process: first epoch, later epochs, memory, CPU use."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Int32
from numpy import ndarray

from training.comparison.memory import peak_bytes
from training.comparison.subset import take_images
from training.config import PRESETS, ModelConfig
from training.data import TRAIN_SEED, binarize, load_dataset
from training.engine.batch_order import draw_order
from training.engine.trainer import Trainer
from training.errors import CompilerError
from training.frameworks import import_backend, import_trainer


def run(  # noqa: PLR0913 - one for each option
    framework: str,
    *,
    mode: str,
    preset: str,
    batch_size: int | None,
    device: str,
    images: int,
    rounds: int,
    steps: int | None,
    cache: str | None,
) -> dict[str, Any]:
    """Time epochs, or the first `steps` of each, in a mode of `training_speed.section`; or return why it can't run.

    `batch_size` replaces the preset's. An epoch ends when its results are NumPy arrays, so that the device has
    finished.
    """
    dataset = take_images(load_dataset("mnist"), images, 1)
    config = PRESETS[preset] if batch_size is None else replace(PRESETS[preset], batch_size=batch_size)
    backend = import_backend(framework)
    pixels = binarize(dataset.train, target=config.target, seed=TRAIN_SEED)
    try:
        with backend.execution_mode(mode, cache=cache) as options:
            trainer: Trainer = import_trainer(framework, "train").Trainer(
                ModelConfig(image_shape=dataset.image_shape), config, pixels, device=device, **options
            )
            loaded = peak_bytes()
            orders = [
                draw_order(np.random.default_rng(number), len(pixels), batch_size=config.batch_size, steps=steps)
                for number in range(rounds + 1)
            ]
            first, *later = [_time_epoch(trainer, order, seed=number) for number, order in enumerate(orders)]
    except CompilerError as error:
        return {"unavailable": str(error)}
    return {
        "device": trainer.device,
        "threads": backend.count_threads(),
        "steps": len(orders[0]),
        "steps_per_epoch": len(pixels) // config.batch_size,
        "batch_size": config.batch_size,
        "first_seconds": first["seconds"],
        "seconds": [timing["seconds"] for timing in later],
        "cores": [timing["cores"] for timing in later],
        "loaded_bytes": loaded,
        "peak_bytes": peak_bytes(),
    }


def _time_epoch(trainer: Trainer, order: Int32[ndarray, "steps batch"], seed: int) -> dict[str, float]:
    used, began = time.process_time(), time.perf_counter()
    trainer.train_epoch(order, seed=seed)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "cores": (time.process_time() - used) / seconds}
