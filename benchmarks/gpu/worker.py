"""Parts of the GPU benchmark that one framework measures in one process; prints a line of JSON after each.

With `--device cpu` the adapters take the path of a GPU on the CPU, so that the script can be tried without one.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from app.inference.adapters import packed_calls
from app.inference.adapters.numpy_adapter import NumpyAdapter
from app.inference.models.loader import import_adapter
from benchmarks.gpu.device_loops import CALLS, eager_call, make_device_loop, make_gemm_loop
from training.checkpoints.checkpoint import Checkpoint, load_checkpoint

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"

PARITY_SIZES = (1, 5, 64, 1500)


class Measurements:
    """The adapter of a framework, and what is measured of it."""

    def __init__(self, framework: str, *, device: str, sizes: list[int], seconds: float) -> None:
        """Load the bundled checkpoint, warm."""
        adapter_class = import_adapter(framework)
        if device == "cpu":
            _pretend(import_module(adapter_class.__module__), sizes)
        self.checkpoint: Checkpoint = load_checkpoint(CHECKPOINTS / framework / "model.safetensors")
        began = time.perf_counter()
        self.adapter: Any = adapter_class(self.checkpoint, device=device, threads=1)
        self.load_seconds = time.perf_counter() - began
        self.device = device
        self.sizes = sizes
        self.seconds = seconds

    def parity(self) -> dict[str, Any]:
        """Return the largest difference from NumPy in float64, relative to the largest value, for several batches."""
        weights = {name: array.astype(np.float64) for name, array in self.checkpoint.weights.items()}
        exact = NumpyAdapter(
            Checkpoint(weights=weights, model=self.checkpoint.model, framework="numpy", framework_version="")
        )
        worst = {}
        for size in PARITY_SIZES:
            images, eps = self._inputs(size)
            expected = exact.reconstruct(images.astype(np.float64), eps.astype(np.float64))
            outputs = self.adapter.reconstruct(images, eps)
            pairs = zip(outputs, expected, strict=True)
            worst[str(size)] = max(
                float(abs(output - reference).max() / abs(reference).max()) for output, reference in pairs
            )
        details = self.adapter.details
        return {
            "relative_difference": worst,
            "device_name": details.name if details else None,
            "max_batch": self.adapter.max_batch,
            "load_seconds": round(self.load_seconds, 1),
        }

    def throughput(self) -> dict[str, Any]:
        """Return images per second by batch size: host to host, on the device, and of the bare products."""
        rows = []
        for size in self.sizes:
            images, eps = self._inputs(size)
            on_device = self._time(make_device_loop(self.adapter, size)) / CALLS
            products = self._time(make_gemm_loop(self.adapter, self.checkpoint.model, size, device=self.device)) / CALLS
            host = self._time(partial(self.adapter.reconstruct, images, eps))
            rows.append(
                {
                    "batch": size,
                    "images_per_second": size / host,
                    "images_per_second_on_device": size / on_device,
                    "images_per_second_of_products": size / products,
                    "share_of_products": products / on_device,
                }
            )
        return {"sizes": rows}

    def latency(self) -> dict[str, Any]:
        """Return milliseconds of single calls: median and 99th percentile, and of the model without a graph."""
        latencies: dict[str, Any] = {}
        for size in sorted({1, self.sizes[0], self.sizes[-1]}):
            images, eps = self._inputs(size)
            latencies[str(size)] = _percentiles(
                lambda images=images, eps=eps: self.adapter.reconstruct(images, eps), self.seconds
            )
            eager = eager_call(self.adapter)
            if eager is not None:
                latencies[str(size)]["eager"] = _percentiles(
                    lambda images=images, eps=eps, eager=eager: eager(images, eps), self.seconds
                )
        return latencies

    def rate(self) -> dict[str, Any]:
        """Return images per second of the largest batch, host to host."""
        images, eps = self._inputs(self.sizes[-1])
        return {"images_per_second": len(images) / self._time(partial(self.adapter.reconstruct, images, eps))}

    def _inputs(self, size: int) -> tuple[ndarray, ndarray]:
        random = np.random.default_rng(size)
        model = self.checkpoint.model
        images = (random.random((size, model.image_dim)) < 0.2).astype(np.float32)
        return images, random.standard_normal((size, model.latent_dim), np.float32)

    def _time(self, call: Callable[[], object]) -> float:
        """Return seconds of a call, the mean over the measurement's time."""
        call()
        count, began = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - began) < self.seconds or not count:
            call()
            count += 1
        return elapsed / count


def main() -> None:
    """Measure the parts and print each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.worker", description=__doc__.partition("\n")[0])
    parser.add_argument("framework")
    parser.add_argument("--parts", default="parity,throughput,latency")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--sizes", default="1,8192")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--wait-for", type=Path, help="folder in which all processes report before they measure")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    measurements = Measurements(options.framework, device=options.device, sizes=sizes, seconds=options.seconds)
    if options.wait_for:
        _wait_for_others(options.wait_for)
    for part in options.parts.split(","):
        print(json.dumps({"part": part, **getattr(measurements, part)()}), flush=True)


def _pretend(adapter_module: Any, sizes: list[int]) -> None:
    """Have the adapter treat the CPU as a GPU, with these batch sizes alone, for they take long to compile there."""
    adapter_module.device_name = lambda _place: "cuda"
    adapter_module.LARGEST = sizes[-1]
    packed_calls.SIZES = tuple(sizes)


def _wait_for_others(folder: Path) -> None:
    (folder / f"ready-{time.monotonic_ns()}-{id(folder)}").touch()
    expected = int(next(folder.glob("of-*")).name.partition("-")[2])
    while len(list(folder.glob("ready-*"))) < expected:
        time.sleep(0.05)


def _percentiles(call: Callable[[], object], seconds: float) -> dict[str, float]:
    call()
    times, deadline = [], time.perf_counter() + seconds
    while time.perf_counter() < deadline or len(times) < 3:
        began = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - began))
    times.sort()
    return {"median_ms": statistics.median(times), "p99_ms": times[int(0.99 * (len(times) - 1))], "calls": len(times)}


if __name__ == "__main__":
    main()
