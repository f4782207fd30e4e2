"""Train a list of recipes in JAX and write the results, to choose the default recipe by its validation ELBO.

    python -m benchmarks.recipes --results runs/recipes.jsonl --out benchmarks/recipes/RESULTS.md
    python -m benchmarks.recipes --results runs/recipes.jsonl --only default --seeds 0,1,2

Each finished recipe is a line of JSON in the results file, and isn't trained again: start it again after a stop. The
table, best validation figure first, is of all that are finished. No test image is measured: those are for the end.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.recipes.catalogue import RECIPES, Recipe
from benchmarks.recipes.fit import train
from training.config import ModelConfig, TrainConfig
from training.counts import count_of
from training.data import VALIDATION_SEED, Dataset, binarize, load_dataset
from training.engine.evaluation import evaluate
from training.engine.run import EVALUATION_TARGET, TEST_DRAWS
from training.jax_vae.train import Evaluator
from training.machine import describe_machine


def main() -> None:
    """Train the recipes that the results file lacks, and write the table of all results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recipes", description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, required=True, help="file of JSON lines, which is added to")
    parser.add_argument("--out", type=Path, help="Markdown file for the table; otherwise it is printed")
    parser.add_argument("--only", help=f"names with semicolons between: {'; '.join(RECIPES)}")
    parser.add_argument("--epochs", type=int, default=25, help="length of each, from which some differ by a factor")
    parser.add_argument("--seeds", default="0", help="numbers with commas between")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    options = parser.parse_args()
    names = options.only.split(";") if options.only else list(RECIPES)
    if unknown := [name for name in names if name not in RECIPES]:
        parser.error(f"unknown recipes: {', '.join(unknown)}; expected some of {'; '.join(RECIPES)}")
    options.results.parent.mkdir(parents=True, exist_ok=True)
    dataset = load_dataset("mnist")
    evaluator = Evaluator(ModelConfig(), device=options.device)
    for seed in map(int, options.seeds.split(",")):
        for name in names:
            recipe = RECIPES[name]
            config = recipe.train_config(epochs=options.epochs, seed=seed)
            key = {"recipe": name, "options": recipe.to_json(), "config": config.to_json()}
            if any(key.items() <= line.items() for line in read_results(options.results)):
                print(f"{name}, seed {seed}: already in {options.results}", file=sys.stderr)
                continue
            print(f"{name}, seed {seed}: {count_of(config.epochs, 'epoch')}", file=sys.stderr, flush=True)
            line = key | measure(recipe, config, dataset, evaluator)
            with options.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
    text = "\n".join(table(read_results(options.results)))
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)


def measure(recipe: Recipe, config: TrainConfig, dataset: Dataset, evaluator: Evaluator) -> dict[str, Any]:
    """Train one recipe and return its metrics, in nats, with as many draws as the published ones."""
    trained = train(recipe, config, dataset, evaluator)
    images = binarize(dataset.validation, target=EVALUATION_TARGET, seed=VALIDATION_SEED)
    evaluation = evaluate(evaluator, trained.weights, images, draws=TEST_DRAWS)
    return {
        "epoch": trained.epoch,
        "train_elbo": trained.train_elbo,
        "validation_elbo": evaluation.elbo,
        "validation_standard_error": evaluation.elbo_standard_error,
        "validation_kl_divergence": evaluation.kl_divergence,
        "machine": describe_machine(),
        "device": evaluator.device,
        "versions": {package: version(package) for package in ("jax", "flax", "optax")},
    }


def read_results(path: Path) -> list[dict[str, Any]]:
    """Return the finished recipes of a results file; none if the file is missing."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def table(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines of a Markdown page: the result of each recipe, and the environment."""
    default = [line for line in results if line["recipe"] == "default"]
    baseline = default[0]["validation_elbo"] if default else None
    lines = [
        "| recipe | seed | epochs, best | training | validation | beside the default | KL |",
        "|---|---|---|---|---|---|---|",
    ]
    for line in sorted(results, key=lambda line: -line["validation_elbo"]):
        gain = "" if baseline is None else f"{baseline - line['validation_elbo']:+.2f}"
        lines.append(
            f"| {line['recipe']} | {line['config']['seed']} | {line['config']['epochs']}, {line['epoch']} "
            f"| {-line['train_elbo']:.2f} | {-line['validation_elbo']:.2f} | {gain} "
            f"| {line['validation_kl_divergence']:.2f} |"
        )
    errors = [line["validation_standard_error"] for line in results]
    machines = sorted({f"{line['machine']}, device {line['device']}" for line in results})
    versions = sorted({", ".join(f"{name} {number}" for name, number in line["versions"].items()) for line in results})
    return [
        *lines,
        "",
        (
            f"-ELBO in nats an image, the lower the better; {TEST_DRAWS} draws of noise for each of 10,000 images, "
            f"target {EVALUATION_TARGET}; standard error over images {min(errors):.2f} to {max(errors):.2f}, which is "
            "mostly common to all recipes, for the images are the same. *Training* is the mean over the best epoch, "
            "while the weights changed, on the images as they were drawn."
        ),
        "",
        f"{' and '.join(versions)} on {' and '.join(machines)}.",
    ]


if __name__ == "__main__":
    main()
