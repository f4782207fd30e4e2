"""Measure how training scales with devices: the seconds of an epoch and the losses, on one and on several.

    python -m benchmarks.devices
    python -m benchmarks.devices --device cuda --devices 1,2,4 --frameworks jax --json devices.json

On a CPU the devices are parts of it, which shows that the numbers agree and what dividing costs, not what GPUs gain.
Each measurement is a process of its own, for a framework divides a CPU once.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.config import ModelConfig, TrainConfig
from training.data import TRAIN_SEED, binarize, load_dataset
from training.frameworks import import_trainer, trainable_frameworks
from training.machine import describe_machine
from training.reporting.markdown_tables import table

ROOT = Path(__file__).parents[1]

COMPARED_STEPS = 25
"""First steps whose losses are compared."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every framework with every number of devices, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.devices", description=__doc__.partition("\n")[0])
    parser.add_argument("--frameworks", default=",".join(trainable_frameworks()))
    parser.add_argument("--devices", default="1,2", help="numbers of devices; the first is what others are compared to")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--images", type=int, default=12_800, help="images of an epoch")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=4, help="the first, which compiles, isn't counted")
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument("--measure", help=argparse.SUPPRESS)  # one measurement, in this process
    options = parser.parse_args(arguments)
    if options.measure:
        print(json.dumps(measure(options.measure, int(options.devices), options)))
        return
    measurements = {
        framework: {count: measure_in_child(framework, count, options) for count in options.devices.split(",")}
        for framework in options.frameworks.split(",")
    }
    if options.json:
        content = {"machine": describe_machine(), "device": options.device, "batch_size": options.batch_size}
        options.json.write_text(json.dumps(content | {"frameworks": measurements}, indent=2) + "\n", encoding="utf-8")
    print("\n".join(render(measurements)))


def measure_in_child(framework: str, devices: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return the measurement of a process of its own."""
    arguments = ["--measure", framework, "--devices", devices, "--device", options.device, "--images", options.images]
    arguments += ["--batch-size", options.batch_size, "--epochs", options.epochs]
    command = [sys.executable, "-m", "benchmarks.devices", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 -- Python itself
    values: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return values


def measure(framework: str, devices: int, options: argparse.Namespace) -> dict[str, Any]:
    """Return the seconds of each epoch but the first, and the losses of the first steps."""
    images = binarize(load_dataset("mnist").train[: options.images], target="dynamic", seed=TRAIN_SEED)
    config = TrainConfig(epochs=options.epochs, batch_size=options.batch_size, warmup_epochs=1)
    trainer = import_trainer(framework, "train").Trainer(
        ModelConfig(), config, images, device=options.device, devices=devices
    )
    steps = len(images) // config.batch_size
    order = np.arange(steps * config.batch_size, dtype=np.int32).reshape(steps, -1)
    seconds, losses = [], []
    for epoch in range(options.epochs):
        began = time.perf_counter()
        elbos, _ = trainer.train_epoch(order, seed=epoch)
        seconds.append(time.perf_counter() - began)
        losses.extend((-elbos).tolist())
    return {"seconds": seconds[1:] or seconds, "losses": losses[:COMPARED_STEPS], "images": order.size}


def render(measurements: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    """Return the lines of the table."""
    rows = []
    for framework, by_count in measurements.items():
        first = next(iter(by_count.values()))
        for count, values in by_count.items():
            seconds, alone = (statistics.median(measurement["seconds"]) for measurement in (values, first))
            pairs = zip(values["losses"], first["losses"], strict=True)
            difference = max(abs(loss / expected - 1) for loss, expected in pairs)
            rate = f"{values['images'] / seconds:,.0f}"
            rows.append(
                [framework, count, f"{seconds:.2f}", rate, f"{alone / seconds:.2f}", f"{difference:.1e}"],
            )
    heads = ["framework", "devices", "s an epoch", "images/s", "speed-up", "largest difference of 25 losses"]
    return table(heads, rows)


if __name__ == "__main__":
    main()
