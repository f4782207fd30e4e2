"""The latency of one framework's model in one process: for each batch size the first call, and rounds of warm ones."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from training.checkpoints.checkpoint import load_checkpoint
from training.comparison.memory import peak_bytes
from training.frameworks import import_backend

_LEAST_CALLS = 5


def run(  # noqa: PLR0913 - one for each option
    framework: str,
    *,
    checkpoint: str,
    device: str,
    batch_sizes: list[int],
    rounds: int,
    round_seconds: float,
    compiled: bool,
) -> dict[str, Any]:
    """Return seconds per call, from NumPy to NumPy, so that a call ends when its result is readable.

    `compiled` compiles the model where the framework's own way doesn't.
    """
    loaded = load_checkpoint(Path(checkpoint))
    options: dict[str, Any] = {"compiled": True} if compiled else {}
    model = import_backend(framework).Inference(loaded.model, loaded.weights, device=device, **options)
    random = np.random.default_rng(0)
    inputs = {
        size: (
            random.integers(0, 2, (size, loaded.model.image_dim)).astype(np.float32),
            random.standard_normal((size, loaded.model.latent_dim), dtype=np.float32),
        )
        for size in batch_sizes
    }
    measurements: dict[int, dict[str, Any]] = {}
    for size, arrays in inputs.items():
        measurements[size] = {"first_seconds": _time_call(model, arrays), "rounds": []}
        for _ in range(_LEAST_CALLS):  # warm
            model.reconstruct(*arrays)
        measurements[size]["peak_bytes"] = peak_bytes()  # sizes ascend, so no larger one has added to it
    for _ in range(rounds):
        for size, arrays in inputs.items():
            seconds: list[float] = []
            while len(seconds) < _LEAST_CALLS or sum(seconds) < round_seconds:
                seconds.append(_time_call(model, arrays))
            quantiles = np.quantile(seconds, (0.5, 0.95))
            measurements[size]["rounds"].append(
                {"calls": len(seconds), "median_seconds": float(quantiles[0]), "p95_seconds": float(quantiles[1])}
            )
    threads = import_backend(framework).count_threads()
    return {
        "device": model.device,
        "threads": threads,
        "batches": {str(size): measurement for size, measurement in measurements.items()},
    }


def _time_call(model: Any, arrays: tuple[np.ndarray, np.ndarray]) -> float:
    began = time.perf_counter()
    model.reconstruct(*arrays)
    return time.perf_counter() - began
