"""Measure the training of one framework, in a process that `benchmarks.training` starts.

python -m benchmarks.training.worker jax --device cpu --rounds 5 --images 50000 --batch-size 256

Each round takes our trainer, the bare products, the parts of a step and the common ways in turn, so that a noise of the
machine meets all.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.training.matmul import flops_of_step, products
from benchmarks.training.reference_loop import UNCOMPILED, common_ways
from benchmarks.training.step_breakdown import parts
from training.comparison.environment import CODE
from training.config import ModelConfig, TrainConfig
from training.data import TRAIN_SEED, binarize, load_dataset
from training.engine.batch_order import draw_order
from training.frameworks import FRAMEWORKS, import_trainer, trainable_frameworks
from training.machine import describe_origin, package_versions

WARM_UP_STEPS = 4


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("framework", choices=trainable_frameworks())
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--common-batch-size", type=int, default=128)
    parser.add_argument("--loops-only", action="store_true", help="no products, parts or uncompiled common ways")
    options = parser.parse_args()
    json.dump(measure(**vars(options)), sys.stdout)


def measure(  # noqa: PLR0913 - one for each option
    *, framework: str, device: str, rounds: int, images: int, batch_size: int, common_batch_size: int, loops_only: bool
) -> dict[str, Any]:
    """Return the seconds of an epoch of each kind, by round."""
    pictures = load_dataset("mnist").train[:images]
    steps = len(pictures) // batch_size
    trainer, epoch = _trainer(framework, pictures, device, rounds, batch_size)
    first_epoch = _seconds(epoch)
    alone: dict[str, Callable[[int], Any]] = {}
    common = common_ways(framework, common_batch_size, device)
    if loops_only:
        common = {name: train for name, train in common.items() if name not in UNCOMPILED}
    else:
        alone |= {f"products: {name}": run for name, run in products(framework, batch_size, device).items()}
        alone |= {f"part: {name}": run for name, run in parts(framework, pictures, batch_size, device).items()}
    for run in alone.values():
        run(WARM_UP_STEPS)
    for train in common.values():
        train(pictures[: WARM_UP_STEPS * common_batch_size])
    kinds: dict[str, Callable[[], Any]] = {
        "trainer": epoch,
        **{kind: lambda run=run: run(steps) for kind, run in alone.items()},
        **{f"common: {name}": lambda train=train: train(pictures) for name, train in common.items()},
    }
    origin = describe_origin(package_versions(FRAMEWORKS[framework].packages), code=CODE)
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    loads = []
    for number in range(1, rounds + 1):
        for kind, work in kinds.items():
            seconds[kind].append(_seconds(work))
        loads.append(os.getloadavg()[0])
        print(f"{framework}: round {number} of {rounds}, load {loads[-1]:.1f}", file=sys.stderr, flush=True)
    return {
        "framework": framework,
        "versions": origin["versions"],
        "python": sys.version.partition(" ")[0],
        "machine": origin["machine"],
        "commit": origin["commit"],
        "device": trainer.device,
        "threads": _threads(framework),
        "images": steps * batch_size,
        "batch_size": batch_size,
        "common_images": len(pictures) // common_batch_size * common_batch_size,
        "common_batch_size": common_batch_size,
        "flops": steps * flops_of_step(batch_size),
        "first_epoch_seconds": first_epoch,
        "compile_seconds": max(first_epoch - statistics.median(seconds["trainer"]), 0.0),
        "seconds": seconds,
        "load_averages": loads,
    }


def _trainer(
    framework: str, pictures: np.ndarray, device: str, rounds: int, batch_size: int
) -> tuple[Any, Callable[[], Any]]:
    config = TrainConfig(epochs=rounds + 1, batch_size=batch_size)
    module = import_trainer(framework, "train")
    images = binarize(pictures, target=config.target, seed=TRAIN_SEED)
    trainer = module.Trainer(ModelConfig(), config, images, device=device)
    random = np.random.default_rng(0)
    steps = len(pictures) // batch_size

    def epoch() -> None:
        order = draw_order(random, len(pictures), steps=steps, batch_size=batch_size)
        trainer.train_epoch(order, seed=int(random.integers(2**31)))

    return trainer, epoch


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _threads(framework: str) -> int:
    if framework == "pytorch":
        return int(import_module("torch").get_num_threads())
    return len(os.sched_getaffinity(0))  # what XLA and Eigen take where nothing says otherwise


if __name__ == "__main__":
    main()
