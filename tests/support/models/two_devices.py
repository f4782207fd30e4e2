"""A run on one device, and one on two, one and two in turn, for the tests of data parallelism; its own process.

`python -m tests.support.models.two_devices FRAMEWORK FOLDER` divides the CPU, which must precede the framework's first
computation, and writes the metrics and weights of each run into FOLDER.
"""

import gc
import sys
from itertools import islice
from pathlib import Path

import numpy as np

from tests.support.runs import first_of_mnist
from training.config import ModelConfig, TrainConfig
from training.engine.resume_state import STATE_FILE, load_training_state
from training.engine.run import Run

MODEL = ModelConfig(hidden_dim=64, latent_dim=8)
CONFIG = TrainConfig(epochs=3, batch_size=64, learning_rate=1e-3, warmup_epochs=0)
STEPS = 25

RUNS = {"changed": ((2, 1), (1, 1), (2, 1)), "one": ((1, 3),)}
"""Devices and epochs of each part of a run, by its name; the first of all divides the CPU."""


def main() -> None:
    """Train each run, resuming it for each part but the first."""
    framework, folder = sys.argv[1], Path(sys.argv[2])
    dataset = first_of_mnist(train=STEPS * CONFIG.batch_size, others=100)
    for name, parts in RUNS.items():
        path = folder / name / "model.safetensors"
        path.parent.mkdir()
        figures = []
        for devices, epochs in parts:
            run = None
            gc.collect()  # a process has one group of processes at a time
            run = Run(framework, MODEL, CONFIG, dataset, device="cpu", devices=devices)
            if path.exists():
                run.resume(load_training_state(path.with_name(STATE_FILE)), path)
            record_figures(run, figures)
            list(islice(run.train(path, origin={}), epochs))
        state = run.trainer.state()
        np.savez(
            folder / f"{name}.npz",
            figures=np.concatenate(figures),
            step=state.step,
            devices=run.best.training.get("devices", 1),
            **{f"weights.{key}": array for key, array in state.weights.items()},
            **{f"moments.{key}": array for key, array in state.second_moments.items()},
        )


def record_figures(run: Run, figures: list[np.ndarray]) -> None:
    """Keep the ELBO and the KL of each batch of the run, which itself keeps their means only."""
    train_epoch = run.trainer.train_epoch

    def recorded(order: np.ndarray, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
        elbos, kls = train_epoch(order, seed=seed)
        figures.append(np.stack([elbos, kls], axis=1))
        return elbos, kls

    run.trainer.train_epoch = recorded


if __name__ == "__main__":
    main()
