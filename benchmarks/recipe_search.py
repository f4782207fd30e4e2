"""Train a list of named recipes and print what each came to, for choosing the default one by its validation figure.

    python -m benchmarks.recipe_search --results runs/recipes.jsonl
    python -m benchmarks.recipe_search --results runs/recipes.jsonl --only default,batch-128

Each finished recipe is a line of JSON in the results file, and isn't trained again: start it again after a stop. A
table of all of them, best validation figure first, is printed at the end. The test figure is printed beside it, and
chooses nothing.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from training.config import ModelConfig, TrainConfig
from training.data import VALIDATION_SEED, Dataset, binarize, load_dataset
from training.evaluation import evaluate, load_evaluator
from training.frameworks import FRAMEWORKS
from training.loop import EVALUATION_TARGET, TEST_DRAWS, Run
from training.machine import describe_machine

# What each recipe changes of TrainConfig's defaults. The first was found first: batch 256, 3e-3, average of 0.9995.
RECIPES: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "batch-128": {"batch_size": 128, "learning_rate": 2e-3, "epochs": 200},
    "batch-512": {"batch_size": 512, "learning_rate": 4e-3},
    "batch-1000": {"batch_size": 1000, "learning_rate": 6e-3},
    "rate-1e-3": {"learning_rate": 1e-3},
    "rate-2e-3": {"learning_rate": 2e-3},
    "rate-5e-3": {"learning_rate": 5e-3},
    "warm-up-1": {"warmup_epochs": 1.0},
    "warm-up-20": {"warmup_epochs": 20.0},
    "average-0": {"ema_decay": 0.0},
    "average-0.999": {"ema_decay": 0.999},
    "average-0.9998": {"ema_decay": 0.9998},
    "average-0.9999": {"ema_decay": 0.9999},
    "second-moment-0.99": {"adam_b2": 0.99},
    "epsilon-1e-4": {"adam_epsilon": 1e-4},
    "epochs-150": {"epochs": 150},
    "epochs-600": {"epochs": 600},
    "quick-20": {"epochs": 20, "warmup_epochs": 1.0, "ema_decay": 0.999},
    "quick-20-batch-128": {
        "epochs": 20,
        "warmup_epochs": 1.0,
        "ema_decay": 0.999,
        "batch_size": 128,
        "learning_rate": 2e-3,
    },
}


def main() -> None:
    """Train what isn't in the results file yet, and print the table of what then is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, required=True, help="file of JSON lines, which is added to")
    parser.add_argument("--only", default=",".join(RECIPES), help=f"names with commas between: {', '.join(RECIPES)}")
    parser.add_argument("--epochs", type=int, help="for all of them, to see that it works")
    parser.add_argument("--seeds", default="0", help="numbers with commas between")
    parser.add_argument("--framework", choices=FRAMEWORKS, default="jax")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := [name for name in names if name not in RECIPES]:
        parser.error(f"unknown recipes: {', '.join(unknown)}; expected some of {', '.join(RECIPES)}")
    dataset = load_dataset("mnist")
    options.results.parent.mkdir(parents=True, exist_ok=True)
    for seed in map(int, options.seeds.split(",")):
        for name in names:
            config = TrainConfig(**RECIPES[name], seed=seed)
            config = replace(config, epochs=options.epochs or config.epochs)
            if any(_is_of(line, options.framework, config) for line in read_results(options.results)):
                print(f"{name}, seed {seed}: already in {options.results}", file=sys.stderr)
                continue
            line = {"recipe": name, "framework": options.framework, "config": config.to_json()}
            line |= train(options.framework, config, dataset, device=options.device)
            with options.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
    print("\n".join(table(read_results(options.results))))


def train(framework: str, config: TrainConfig, dataset: Dataset, *, device: str) -> dict[str, Any]:
    """Train one recipe and return its figures: of the epoch that the validation images chose, in nats and seconds."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        run = Run(framework, ModelConfig(), config, dataset, device=device)
        for epoch in run.train(path, origin={}):
            print(
                f"epoch {epoch.number} of {config.epochs}: validation -ELBO {-epoch.validation_elbo:.2f}",
                end="\r",
                file=sys.stderr,
            )
        seconds = time.perf_counter() - began
        test = run.test(path)
    assert run.best is not None
    # With as many draws as the test figure; while it trains, one draw chooses the epoch.
    images = binarize(dataset.validation, target=EVALUATION_TARGET, seed=VALIDATION_SEED)
    evaluator = load_evaluator(framework, ModelConfig(), device=device)
    validation = evaluate(evaluator, run.best.weights, images, draws=TEST_DRAWS)
    return {
        "epoch": run.best.metrics["epochs"],
        "train_elbo": run.best.metrics["train_elbo"],
        "validation_elbo": validation.elbo,
        "validation_standard_error": validation.elbo_standard_error,
        "test_elbo": test.elbo,
        "test_standard_error": test.elbo_standard_error,
        "seconds": seconds,
        "machine": describe_machine(),
    }


def read_results(path: Path) -> list[dict[str, Any]]:
    """Return the finished recipes of a results file; none where there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def table(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines of a Markdown table, best validation figure first."""
    lines = [
        "| recipe | seed | batch | rate | warm-up | average | epochs, best | seconds | train | validation | test |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for line in sorted(results, key=lambda line: -line["validation_elbo"]):
        config = line["config"]
        others = ", ".join(
            f"{name} {config[name]}"
            for name in ("adam_b1", "adam_b2", "adam_epsilon", "target")
            if config[name] != getattr(TrainConfig(), name)
        )
        lines.append(
            f"| {line['recipe']}{f' ({others})' if others else ''} | {config['seed']} | {config['batch_size']} "
            f"| {config['learning_rate']:g} | {config['warmup_epochs']:g} | {config['ema_decay']:g} "
            f"| {config['epochs']}, {line['epoch']} | {line['seconds']:.0f} | {-line['train_elbo']:.2f} "
            f"| {-line['validation_elbo']:.2f} ± {line['validation_standard_error']:.2f} "
            f"| {-line['test_elbo']:.2f} ± {line['test_standard_error']:.2f} |"
        )
    machines = sorted({line["machine"] for line in results})
    frameworks = sorted({line["framework"] for line in results})
    return [*lines, "", f"{', '.join(frameworks)} on {' and '.join(machines)}; figures are -ELBO in nats an image."]


def _is_of(line: Mapping[str, Any], framework: str, config: TrainConfig) -> bool:
    return bool(line["framework"] == framework and line["config"] == config.to_json())


if __name__ == "__main__":
    main()
