"""Tables the metrics of finished runs of several seeds, and their differences. Trains and measures nothing.

    python -m benchmarks.recipes.seeds --results benchmarks/recipes/seeds.json runs/seed*/*/model.safetensors

A run's metrics are those that its trainer has written into its checkpoint. Without checkpoints the tables of the
results file are printed again.
"""

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from training.checkpoints.checkpoint import load_checkpoint
from training.comparison.model_quality.differences import CONFIDENCE, paired_differences
from training.errors import CheckpointError
from training.frameworks import FRAMEWORKS
from training.reporting.markdown_tables import mean_spread, table

_METRICS: Final = ("train_elbo", "validation_elbo", "test_elbo")


def main() -> None:
    """Add the checkpoints to the results file, and print the tables of all runs in it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recipes.seeds", description=__doc__.partition("\n")[0])
    parser.add_argument("checkpoints", type=Path, nargs="*", help="model.safetensors files")
    parser.add_argument("--results", type=Path, required=True, help="JSON file, which is added to")
    options = parser.parse_args()
    known = json.loads(options.results.read_text(encoding="utf-8")) if options.results.exists() else []
    try:
        runs = {run["checkpoint"]: run for run in [*known, *map(describe, options.checkpoints)]}
    except CheckpointError as error:
        parser.error(str(error))
    results = sorted(runs.values(), key=lambda run: (list(FRAMEWORKS).index(run["framework"]), run["seed"]))
    if not results:
        parser.error(f"{options.results} has no runs: name some checkpoints")
    if options.checkpoints:
        options.results.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print("\n".join(tables(results)))


def describe(path: Path) -> dict[str, Any]:
    """Return what a checkpoint says of its run: framework, seed, recipe, machine and metrics, in nats per image."""
    checkpoint = load_checkpoint(path)
    training, metrics = checkpoint.training, checkpoint.metrics
    return {
        "checkpoint": checkpoint.id,
        "framework": checkpoint.framework,
        "framework_version": checkpoint.framework_version,
        "seed": training["seed"],
        "epochs": training["epochs"],
        "validation_images": training["validation_images"],
        "machine": training["machine"],
        "best_epoch": metrics["epochs"],
        **{name: metrics[name] for name in _METRICS},
    }


def tables(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines of two tables: each run and the means by framework, then the paired differences.

    The results are in the order of frameworks.
    """
    rows = []
    for framework, group in groupby(results, key=lambda run: run["framework"]):
        runs = list(group)
        title = FRAMEWORKS[framework].title
        for run in runs:
            values = [f"{-run[name]:.2f}" for name in _METRICS]
            rows.append([title, str(run["seed"]), str(run["best_epoch"]), *values])
        means = [mean_spread([-run[name] for run in runs]) for name in _METRICS]
        rows.append([f"**{title}**", "mean", "", *means])
    return [
        *table(["framework", "seed", "best epoch", "training", "validation", "test"], rows),
        *_compare(results),
    ]


def _compare(results: Sequence[Mapping[str, Any]]) -> list[str]:
    frameworks: dict[str, Any] = {}
    for run in results:
        seeds = frameworks.setdefault(run["framework"], {"seeds": {}})["seeds"]
        seeds[str(run["seed"])] = {"elbo": {"value": run["test_elbo"]}}
    means = [statistics.fmean(run["elbo"]["value"] for run in entry["seeds"].values()) for entry in frameworks.values()]
    rows = [
        [
            f"{FRAMEWORKS[first].title} minus {FRAMEWORKS[second].title}",
            str(difference.seeds),
            f"{difference.mean:+.3f}",
            f"± {difference.half_width:.3f}",
            f"± {difference.joint_half_width:.3f}",
        ]
        for difference in paired_differences({"frameworks": frameworks})
        for first, second in [difference.of]
    ]
    level = f"{CONFIDENCE:.0%}"
    headers = ["test -ELBO", "seeds", "mean difference", f"{level} interval", f"joint {level} interval"]
    return [f"The means of the test -ELBO differ by at most {max(means) - min(means):.3f} nats.", *table(headers, rows)]


if __name__ == "__main__":
    main()
