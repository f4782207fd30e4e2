"""Measure the speed of each trainer, beside bare matrix products and beside a common training loop.

    python -m benchmarks.training
    python -m benchmarks.training --device cuda --frameworks jax --json speed.json
    python -m benchmarks.training --rounds 3 --images 24576 --batch-sizes 32,128,256,512,2048,4096

Prints Markdown. Each framework runs in a process of its own, `benchmarks.training.worker`.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.counts import count_of
from training.frameworks import trainable_frameworks
from training.reporting.markdown_tables import table

ROOT = Path(__file__).parents[2]

SHARE_GOAL = 0.65
"""Goal: minimum share of the rate of the bare products."""

SPEEDUP_GOAL = 4.0
"""Goal: minimum ratio to the images per second of the common loop."""


def main() -> None:
    """Measure, print the tables, and write the JSON file if requested."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__.partition("\n")[0])
    parser.add_argument("--frameworks", default=",".join(trainable_frameworks()), help="names with commas between")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--rounds", type=int, default=5, help="epochs of each kind, taken in turn")
    parser.add_argument("--images", type=int, default=50_000, help="images of an epoch")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--common-batch-size", type=int, default=128, help="of the common ways; 128 in the examples")
    parser.add_argument(
        "--batch-sizes", help="numbers with commas between: compare trainer and common ways at each, and nothing else"
    )
    parser.add_argument("--json", type=Path, help="file for all figures")
    options = parser.parse_args()
    frameworks = options.frameworks.split(",")
    if options.batch_sizes:
        sizes = list(map(int, options.batch_sizes.split(",")))
        runs = [measure(framework, options, batch_size=size) for framework in frameworks for size in sizes]
        lines = report_batch_sizes(runs)
    else:
        runs = [measure(framework, options) for framework in frameworks]
        lines = report(runs)
    if options.json:
        options.json.write_text(json.dumps(runs, indent=2) + "\n")
    print("\n".join(lines))


def measure(framework: str, options: argparse.Namespace, *, batch_size: int | None = None) -> dict[str, Any]:
    """Return the measurements of a separate process; with a batch size, of trainer and compiled common ways at it."""
    arguments = ["--device", options.device, "--rounds", options.rounds, "--images", options.images]
    if batch_size is None:
        arguments += ["--batch-size", options.batch_size, "--common-batch-size", options.common_batch_size]
    else:
        arguments += ["--batch-size", batch_size, "--common-batch-size", batch_size, "--loops-only"]
    command = [sys.executable, "-m", "benchmarks.training.worker", framework, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - Python itself
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def report(runs: Sequence[dict[str, Any]]) -> list[str]:
    """Return the lines of the tables; the first describes the machine."""
    first = runs[0]
    lines = [
        _describe(runs),
        (
            f"An epoch is {count_of(first['images'], 'image', ',')} in batches of {first['batch_size']} "
            f"({first['common_batch_size']} in the common ways); median of "
            f"{count_of(len(first['seconds']['trainer']), 'round')}, with the least and the most."
        ),
        "",
        (
            "| framework | products | s an epoch | GFLOP/s | trainer, s an epoch | images/s | share of products' rate "
            f"(goal {SHARE_GOAL:.0%}) | compiling, s |"
        ),
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_beside_products(run, kind) for run in runs for kind in run["seconds"] if kind.startswith("products: ")]
    lines += [
        "",
        "| framework | s an epoch: trainer | drawing batches | ELBO and gradients | Adam and moving average |",
        "|---|---|---|---|---|",
    ]
    lines += [_parts(run) for run in runs]
    lines += [
        "",
        f"| framework | common way | s an epoch | images/s | our trainer is faster (goal {SPEEDUP_GOAL:.0f}) |",
        "|---|---|---|---|---|",
    ]
    lines += [_beside_common(run, kind) for run in runs for kind in run["seconds"] if kind.startswith("common: ")]
    return lines


def report_batch_sizes(runs: Sequence[dict[str, Any]]) -> list[str]:
    """Return the lines of a table of images per second by batch size; the first describes the machine."""
    sizes = sorted({run["batch_size"] for run in runs})
    epochs = " or ".join(f"{count:,}" for count in sorted({run["images"] for run in runs}))
    rows = []
    for framework in dict.fromkeys(run["framework"] for run in runs):
        measured = {run["batch_size"]: run for run in runs if run["framework"] == framework}
        for kind in measured[sizes[0]]["seconds"]:
            rates = (
                f"{run['images'] / statistics.median(run['seconds'][kind]):,.0f}" for _, run in sorted(measured.items())
            )
            rows.append([framework, kind.removeprefix("common: "), *rates])
    rounds = count_of(len(runs[0]["seconds"]["trainer"]), "round")
    return [
        _describe(runs),
        f"Images per second; an epoch is {epochs} images; median of {rounds}.",
        *table(["framework", "loop", *(f"batches of {size:,}" for size in sizes)], rows),
    ]


def _describe(runs: Sequence[dict[str, Any]]) -> str:
    """Return machine, versions, threads and load of the measurements."""
    first = runs[0]
    packages = {package: version for run in runs for package, version in run["versions"].items()}
    versions = ", ".join(f"{package} {version}" for package, version in packages.items())
    threads = ", ".join(dict.fromkeys(f"{run['framework']} {run['threads']}" for run in runs))
    loads = [load for run in runs for load in run["load_averages"]]
    return (
        f"{first['machine']}, commit {first['commit']}; device {first['device']}; Python {first['python']}, "
        f"{versions}; threads: {threads}; load average {min(loads):.1f} to {max(loads):.1f}."
    )


def _beside_products(run: dict[str, Any], kind: str) -> str:
    seconds = run["seconds"]
    middle, trainer = statistics.median(seconds[kind]), statistics.median(seconds["trainer"])
    return (
        f"| {run['framework']} | {kind.partition(': ')[2]} | {_spread(seconds[kind])} "
        f"| {run['flops'] / middle / 1e9:.0f} | {_spread(seconds['trainer'])} | {run['images'] / trainer:,.0f} "
        f"| {_spread(_ratios(seconds[kind], seconds['trainer']), percent=True)} | {run['compile_seconds']:.1f} |"
    )


def _parts(run: dict[str, Any]) -> str:
    kinds = ("trainer", "part: draw", "part: gradients", "part: update")
    return f"| {' | '.join([run['framework'], *(_spread(run['seconds'][kind]) for kind in kinds)])} |"


def _beside_common(run: dict[str, Any], kind: str) -> str:
    seconds = run["seconds"]
    common, trainer = run["common_images"] / statistics.median(seconds[kind]), run["images"]
    faster = [ratio * trainer / run["common_images"] for ratio in _ratios(seconds[kind], seconds["trainer"])]
    return (
        f"| {run['framework']} | {kind.partition(': ')[2]} | {_spread(seconds[kind])} | {common:,.0f} "
        f"| {_spread(faster)} times |"
    )


def _ratios(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    # Compare within each round: a busy moment of the machine affects both.
    return [numerator / denominator for numerator, denominator in zip(numerators, denominators, strict=True)]


def _spread(values: Sequence[float], *, percent: bool = False) -> str:
    middle, least, most = statistics.median(values), min(values), max(values)
    if percent:
        return f"{middle:.0%} ({least:.0%} to {most:.0%})"
    return f"{_digits(middle)} ({_digits(least)} to {_digits(most)})"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
