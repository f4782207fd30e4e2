"""Measure what the usual mistakes cost: each trained once, beside the right way, with the same seed and budget.

    python -m benchmarks.mistakes --json docs/mistakes.json

Every outcome is measured alike, whatever loss was minimised: the ELBO of the test images on the `fixed` target, by the
right formulas. The right way with two more seeds shows how much is luck.
"""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from benchmarks.mistake_list import MISTAKES
from benchmarks.mistake_training import train
from training.checkpoint import Weights
from training.config import PRESETS, ModelConfig
from training.data import TEST_SEED, Dataset, binarize, load_dataset
from training.evaluation import evaluate
from training.jax_vae.train import Evaluator
from training.loop import TEST_DRAWS
from training.machine import describe_machine, installed_versions


def main() -> None:
    """Train all, and write what came out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mistakes", description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=10, help="epochs of each run")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    options = parser.parse_args()
    dataset = load_dataset("mnist")
    evaluator = Evaluator(ModelConfig(), device="auto")
    record: dict[str, Any] = {
        "command": f"python -m benchmarks.mistakes --epochs {options.epochs} --json {options.json}",
        "machine": describe_machine(),
        "versions": installed_versions(),
        "epochs": options.epochs,
        "runs": {},
    }
    for name, mistake in MISTAKES.items():
        config = dataclasses.replace(PRESETS["quick"], **{"epochs": options.epochs} | dict(mistake.config))
        outcome = train(mistake, config, dataset, evaluator)
        record["runs"][name] = {
            "topic": mistake.topic,
            "loss": outcome.loss,
            "broken_step": outcome.broken_step,
            "validation_elbo": outcome.validation,
            "test": outcome.test and dataclasses.asdict(outcome.test),
        }
        print(f"{name}: {-outcome.test.elbo:.2f}" if outcome.test else f"{name}: broken at step {outcome.broken_step}")
        if name == "the right way":
            record["targets"] = _measure_targets(outcome.weights, dataset, evaluator)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _measure_targets(weights: Weights, dataset: Dataset, evaluator: Evaluator) -> dict[str, float]:
    """Return the mean ELBO of the test images as each target has them, of the same weights."""
    # What is drawn anew in training is, before it is drawn, grey.
    targets = {"fixed": "fixed", "threshold": "threshold", "grey": "dynamic"}
    return {
        name: evaluate(evaluator, weights, binarize(dataset.test, target=target, seed=TEST_SEED), draws=TEST_DRAWS).elbo
        for name, target in targets.items()
    }


if __name__ == "__main__":
    main()
