"""Measure adapters and trainers on an NVIDIA GPU within a time budget: parity, throughput, latency, sharing, training.

    python -m benchmarks.gpu --json gpu.json
    python -m benchmarks.gpu --table gpu.json

Each framework runs in processes of its own. The JSON file is written after each part, so that a run that is cut off
keeps what it has; parts for which no time is left are recorded as skipped. Without a GPU, nothing is measured.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.gpu.table import render
from training.atomic_file import write_atomically
from training.frameworks import canonical_framework, trainable_frameworks
from training.machine import describe_machine, installed_versions

ROOT = Path(__file__).parents[2]

WORKER_PARTS = ("parity", "throughput", "latency")
"""Parts that one process of a framework measures, for it compiles for a long time."""

PROCESSES = 3
"""Processes that share the card."""


class Record:
    """The figures so far, in memory and in the JSON file."""

    def __init__(self, path: Path | None, frameworks: Sequence[str], *, budget_s: float) -> None:
        """Begin the budget."""
        self.values: dict[str, Any] = {
            "machine": describe_machine(),
            "versions": installed_versions(),
            "frameworks": {framework: {} for framework in frameworks},
        }
        self._path = path
        self._end = time.monotonic() + budget_s
        self._began = time.monotonic()

    @property
    def left_s(self) -> float:
        """Seconds left."""
        return self._end - time.monotonic()

    def add(self, framework: str, part: str, values: Any) -> None:
        """Add a part's figures and write the file."""
        self.values["frameworks"].setdefault(framework, {})[part] = values
        self.values["seconds"] = round(time.monotonic() - self._began, 1)
        print(f"{self.values['seconds']:6.1f} s  {framework} {part}: {json.dumps(values)[:200]}", flush=True)
        if self._path:
            write_atomically(self._path, (json.dumps(self.values, indent=2) + "\n").encode())


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all parts of all frameworks, and print the tables."""
    options = read_options(arguments)
    if options.table:
        print(render(json.loads(options.table.read_text(encoding="utf-8"))))
        return 0
    if options.device == "cuda" and shutil.which("nvidia-smi") is None:
        print("skipped: there is no NVIDIA driver on this machine (nvidia-smi is missing)")
        return 0
    record = Record(options.json, options.frameworks, budget_s=options.budget)
    with tempfile.TemporaryDirectory() as options.cache:
        measure_all(record, options)
    print(render(record.values))
    return 0


def measure_all(record: Record, options: argparse.Namespace) -> None:
    """Measure the requested parts, those that need the least time first."""
    share = options.budget / len(options.frameworks)
    for framework in options.frameworks if "adapter" in options.parts else ():
        measure_adapter(framework, record, options, limit_s=0.4 * share)
    if "sharing" in options.parts:
        measure_sharing(record, options, limit_s=0.15 * options.budget)
    for framework in options.frameworks if "training" in options.parts else ():
        measure_training(framework, record, options, limit_s=0.4 * share)


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.partition("\n")[0])
    parser.add_argument("--frameworks", default="jax,pytorch", help=f"of {', '.join(trainable_frameworks())}")
    parser.add_argument("--parts", default="adapter,sharing,training", help="of adapter, sharing and training")
    parser.add_argument("--device", default="cuda", help="cuda or cuda:N; cpu tries the script without a GPU")
    parser.add_argument("--budget", type=float, default=470, help="seconds for everything")
    parser.add_argument("--sizes", default="1,64,256,1024,4096,8192", help="batch sizes of the throughput")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    parser.add_argument("--preset", default="full", choices=["full", "quick"], help="recipe of the training")
    parser.add_argument("--train-options", default="", help="further options of the training, separated by spaces")
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument(
        "--table", type=Path, help="print the tables of an earlier run's JSON file, and measure nothing"
    )
    options = parser.parse_args(arguments)
    options.frameworks = [canonical_framework(name) for name in options.frameworks.split(",")]
    return options


def measure_adapter(framework: str, record: Record, options: argparse.Namespace, *, limit_s: float) -> None:
    """Measure parity, throughput and latency in one process."""
    seen = set()
    arguments = [framework, "--parts", ",".join(WORKER_PARTS)]
    for values in follow_worker(arguments, options, limit_s=min(limit_s, record.left_s)):
        seen.add(part := values.pop("part"))
        record.add(framework, part, values)
    for part in WORKER_PARTS:
        if part not in seen:
            record.add(framework, part, {"skipped": "the process failed, or its time was over"})


def measure_sharing(record: Record, options: argparse.Namespace, *, limit_s: float) -> None:
    """Compare the rate of several processes on the card with that of one."""
    limit_s = min(limit_s, record.left_s)
    if limit_s < options.seconds:
        record.add("all", "sharing", {"skipped": "no time was left"})
        return
    frameworks = [options.frameworks[number % len(options.frameworks)] for number in range(PROCESSES)]
    results: list[list[dict[str, Any]]] = [[] for _ in frameworks]

    def follow(number: int) -> None:
        arguments = [frameworks[number], "--parts", "rate", "--wait-for", str(barrier)]
        results[number].extend(follow_worker(arguments, options, limit_s=limit_s))

    with tempfile.TemporaryDirectory() as folder:
        barrier = Path(folder) / "barrier"
        barrier.mkdir()
        (barrier / f"of-{PROCESSES}").touch()
        threads = [threading.Thread(target=follow, args=(number,)) for number in range(PROCESSES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    rates = [worker_results[0]["images_per_second"] if worker_results else None for worker_results in results]
    record.add("all", "sharing", {"frameworks": frameworks, "images_per_second": rates})


def measure_training(framework: str, record: Record, options: argparse.Namespace, *, limit_s: float) -> None:
    """Train once by the command, and record its seconds and the result."""
    limit_s = min(limit_s, record.left_s)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "training", "train", "--framework", framework, "--preset", options.preset]
        command += ["--device", options.device.partition(":")[0], "--out", folder, "--json", "--no-figures"]
        began = time.monotonic()
        try:
            done = subprocess.run(  # noqa: S603 -- Python itself
                [*command, *options.train_options.split()],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=max(limit_s, 1),
                check=True,
            )
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
            record.add(framework, "training", {"skipped": f"{type(error).__name__} after {limit_s:.0f} s at most"})
            return
        seconds = time.monotonic() - began
        *epochs, result = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    record.add(
        framework,
        "training",
        {
            "seconds": round(seconds, 1),
            "epochs": len(epochs),
            "epoch_seconds": sorted(epoch["seconds"] for epoch in epochs)[len(epochs) // 2],
            "test_elbo": result["test_elbo"],
        },
    )


def follow_worker(arguments: Sequence[str], options: argparse.Namespace, *, limit_s: float) -> Iterator[dict[str, Any]]:
    """Yield each result of a worker as it is printed; kill the worker when its time is over."""
    command = [sys.executable, "-m", "benchmarks.gpu.worker", *arguments, "--device", options.device]
    command += ["--sizes", options.sizes, "--seconds", str(options.seconds)]
    # JAX compiles for half a minute on a GPU: the processes after the first read its results.
    cache = {"JAX_COMPILATION_CACHE_DIR": options.cache, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    with subprocess.Popen(  # noqa: S603 -- likewise
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | cache
    ) as process:
        timer = threading.Timer(max(limit_s, 1), process.kill)
        timer.start()
        try:
            assert process.stdout is not None
            yield from (json.loads(line) for line in process.stdout if line.startswith("{"))
        finally:
            timer.cancel()
            process.kill()


if __name__ == "__main__":
    sys.exit(main())
