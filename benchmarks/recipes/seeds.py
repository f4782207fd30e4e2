"""Measure finished runs of several seeds on the test images, and write their differences. Trains nothing.

    python -m benchmarks.recipes.seeds --results benchmarks/recipes/seeds.json runs/seed*/*/model.safetensors

A checkpoint that the results file has isn't measured again; without checkpoints the tables of the file are printed.
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
from training.data import TEST_SEED, binarize, load_dataset
from training.engine.evaluation import load_evaluator
from training.engine.likelihood_bounds import measure
from training.engine.run import EVALUATION_TARGET, TEST_DRAWS
from training.frameworks import FRAMEWORKS
from training.reporting.markdown_tables import mean_spread, table

_SAMPLES: Final = 500
"""Samples of each image, for the importance-weighted bound."""

_COLUMNS: Final = ("train_elbo", "validation_elbo", "test_elbo", "test_iwae")


def main() -> None:
    """Measure the checkpoints that the results file lacks, and print the tables of all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recipes.seeds", description=__doc__.partition("\n")[0])
    parser.add_argument("checkpoints", type=Path, nargs="*", help="model.safetensors files of MNIST")
    parser.add_argument("--results", type=Path, required=True, help="JSON file, which is added to")
    options = parser.parse_args()
    results = json.loads(options.results.read_text(encoding="utf-8")) if options.results.exists() else []
    known = {result["checkpoint"] for result in results}
    for path in options.checkpoints:
        result = describe(path)
        if result["checkpoint"] not in known:
            results.append(result | measure_test(path))
            results.sort(key=_order)
            options.results.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print("\n".join(tables(results)))


def describe(path: Path) -> dict[str, Any]:
    """Return what a checkpoint says of its run: framework, seed, recipe, machine and metrics, in nats."""
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
        "train_elbo": metrics["train_elbo"],
        "validation_elbo": metrics["validation_elbo"],
    }


def measure_test(path: Path) -> dict[str, float]:
    """Return the ELBO and the importance-weighted bound of the test images, in nats, with the draws of `evaluate`."""
    checkpoint = load_checkpoint(path)
    images = binarize(load_dataset("mnist").test, target=EVALUATION_TARGET, seed=TEST_SEED)
    evaluator = load_evaluator("jax", checkpoint.model, device="auto")
    measured = measure(evaluator, checkpoint.weights, images, draws=TEST_DRAWS, samples=(_SAMPLES,))
    return {"test_elbo": measured.elbo.value, "test_iwae": measured.iwae.value}


def tables(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines of two tables: each run and the means by framework, then the paired differences."""
    ordered = sorted(results, key=_order)
    rows = []
    for framework, group in groupby(ordered, key=lambda result: result["framework"]):
        runs = list(group)
        title = FRAMEWORKS[framework].title
        for run in runs:
            values = [f"{-run[column]:.2f}" for column in _COLUMNS]
            rows.append([title, str(run["seed"]), str(run["best_epoch"]), *values])
        means = [mean_spread([-run[column] for run in runs]) for column in _COLUMNS]
        rows.append([f"**{title}**", "mean", "", *means])
    headers = ["framework", "seed", "best epoch", "training", "validation", "test", f"test, -L{_SAMPLES}"]
    return [*table(headers, rows), *_differences(ordered)]


def _differences(results: Sequence[Mapping[str, Any]]) -> list[str]:
    frameworks: dict[str, Any] = {}
    for result in results:
        runs = frameworks.setdefault(result["framework"], {"seeds": {}})["seeds"]
        runs[str(result["seed"])] = {"elbo": {"value": result["test_elbo"]}}
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


def _order(result: Mapping[str, Any]) -> tuple[int, int]:
    return list(FRAMEWORKS).index(result["framework"]), result["seed"]


if __name__ == "__main__":
    main()
