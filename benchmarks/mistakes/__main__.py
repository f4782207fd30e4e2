"""Measure the cost of usual mistakes: each trained beside the correct version, with the same seeds and budget.

    python -m benchmarks.mistakes --json docs/mistakes.json

Every model is measured in the same way, whatever loss was minimized: the ELBO of the test images on the `fixed` target,
by the correct formulas. The reference is the mean of three seeds of the correct version; a mistake whose cost is
within a nat of it is trained with the same three seeds, any other with the first. Runs that the file has already aren't
repeated.
"""

import argparse
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from benchmarks.mistakes.catalogue import MISTAKES, RIGHT, Mistake
from benchmarks.mistakes.fit import Outcome, train
from training.checkpoints.checkpoint import Weights
from training.checkpoints.safetensors_file import replace_file
from training.config import PRESETS, ModelConfig
from training.data import TEST_SEED, Dataset, binarize, load_dataset
from training.engine.evaluation import evaluate
from training.engine.run import TEST_DRAWS
from training.jax_vae.train import Evaluator
from training.machine import describe_machine, installed_versions

SEEDS: Final = (0, 1, 2)

NEAR: Final = 1.0
"""Nats from the reference within which luck could decide, so that all seeds are trained."""


def main() -> None:
    """Train what the file lacks, and write it after each run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mistakes", description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=10, help="epochs of each run")
    parser.add_argument("--json", type=Path, required=True, help="file of the figures, which is continued")
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
    if options.json.exists():
        earlier = json.loads(options.json.read_text(encoding="utf-8"))
        if differing := [name for name in ("machine", "versions", "epochs") if earlier[name] != record[name]]:
            parser.error(f"{options.json} was measured with another {' and '.join(differing)}: choose another file")
        record = earlier
    options.json.parent.mkdir(parents=True, exist_ok=True)
    for name, mistake in MISTAKES.items():
        runs = record["runs"].setdefault(name, {"topic": mistake.topic, "seeds": {}})["seeds"]
        for seed in SEEDS:
            if str(seed) in runs or (seed != SEEDS[0] and not is_near(record["runs"], name)):
                continue
            outcome = _train(mistake, seed, options.epochs, dataset, evaluator)
            runs[str(seed)] = _describe(outcome)
            if name == RIGHT and seed == SEEDS[0]:
                record["targets"] = _measure_targets(outcome.weights, dataset, evaluator)
            result = f"{-outcome.test.elbo:.2f}" if outcome.test else f"broken at step {outcome.broken_step}"
            print(f"{name}, seed {seed}: {result}", flush=True)
            replace_file(options.json, (json.dumps(record, indent=1) + "\n").encode())


def is_near(runs: Mapping[str, Any], name: str) -> bool:
    """Return True for the correct version, and for a mistake whose first seed is within `NEAR` of its mean."""
    if name == RIGHT:
        return True
    test = runs[name]["seeds"][str(SEEDS[0])]["test"]
    right = fmean(run["test"]["elbo"] for run in runs[RIGHT]["seeds"].values())
    return test is not None and abs(test["elbo"] - right) <= NEAR


def _train(mistake: Mistake, seed: int, epochs: int, dataset: Dataset, evaluator: Evaluator) -> Outcome:
    config = dataclasses.replace(PRESETS["quick"], epochs=epochs, seed=seed)
    return train(mistake, dataclasses.replace(config, **mistake.config), dataset, evaluator)


def _describe(outcome: Outcome) -> dict[str, Any]:
    return {
        "loss": outcome.loss,
        "broken_step": outcome.broken_step,
        "validation_elbo": outcome.validation,
        "test": outcome.test and dataclasses.asdict(outcome.test),
    }


def _measure_targets(weights: Weights, dataset: Dataset, evaluator: Evaluator) -> dict[str, float]:
    """Return the mean ELBO of the test images on each target, for the same weights."""
    # `dynamic` images are gray until the trainer draws them.
    targets = {"fixed": "fixed", "threshold": "threshold", "grey": "dynamic"}
    return {
        name: evaluate(evaluator, weights, binarize(dataset.test, target=target, seed=TEST_SEED), draws=TEST_DRAWS).elbo
        for name, target in targets.items()
    }


if __name__ == "__main__":
    main()
