"""Trains each framework from its own initial weights and from the others', to separate the effects of both.

    taskset -c 0 python -m benchmarks.recipes.initial_weights --trainers jax --out runs/jax.jsonl
    python -m benchmarks.recipes.initial_weights --table runs/*.jsonl

Each run draws pixels and noise by the trainer's own generator, as `python -m training train --preset quick` does. A run
that is in its file already isn't repeated.
"""

import argparse
import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from typing import Any, Final

import numpy as np

from training.comparison.model_quality.differences import CONFIDENCE, half_width
from training.config import PRESETS, ModelConfig
from training.counts import count_of
from training.data import TRAIN_SEED, binarize, load_dataset
from training.engine.batch_order import draw_epoch
from training.errors import TrainingError
from training.frameworks import FRAMEWORKS, canonical_framework, import_trainer
from training.reporting.markdown_tables import table

Runs = Mapping[tuple[str, str, int], float]
"""-ELBO of the last epoch by trainer, origin of the initial weights, and seed."""

_FRAMEWORKS: Final = ("jax", "tensorflow")


def main() -> None:
    """Train what is missing in the results file, or print the tables of results files."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recipes.initial_weights", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--table", type=Path, nargs="+", help="results files, whose tables are printed")
    parser.add_argument("--trainers", default=",".join(_FRAMEWORKS), help="frameworks that train, comma-separated")
    parser.add_argument("--weights-of", default=",".join(_FRAMEWORKS), help="frameworks that draw initial weights")
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=6, help="number of seeds")
    parser.add_argument("--epochs", type=int, default=PRESETS["quick"].epochs)
    parser.add_argument("--images", type=int, default=50_000, help="training images")
    parser.add_argument("--out", type=Path, default=Path("initial_weights.jsonl"), help="results file, added to")
    options = parser.parse_args()
    try:
        if options.table:
            print("\n".join(tables(read_runs(options.table))))
            return
        known = read_runs([options.out], epochs=options.epochs) if options.out.exists() else {}
        with options.out.open("a", encoding="utf-8") as file:
            for run in _train(options, known):
                print(json.dumps(run), file=file, flush=True)
    except (OSError, ValueError, TrainingError) as error:
        parser.error(str(error))


def read_runs(paths: Sequence[Path], *, epochs: int | None = None) -> Runs:
    """Return the runs of results files, all of so many epochs.

    Raises:
        ValueError: A line is damaged, or runs differ in their number of epochs.
    """
    lines = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    lengths = {len(run["train_elbo"]) for run in lines} | (set() if epochs is None else {epochs})
    if len(lengths) > 1:
        raise ValueError(
            f"the runs have {' and '.join(map(str, sorted(lengths)))} epochs: expected one number; choose another --out"
        )
    return {(run["trainer"], run["weights_of"], run["seed"]): -run["train_elbo"][-1] for run in lines}


def tables(runs: Runs) -> list[str]:
    """Return the lines of two tables: means by trainer and initial weights, and the effect of each, paired by seed.

    Raises:
        ValueError: There are fewer than two seeds with all runs.
    """
    if not runs:
        raise ValueError("there are no runs: expected those of two seeds or more")
    trainers, sources, _ = ([name for name in FRAMEWORKS if name in names] for names in zip(*runs, strict=True))
    complete = sorted(
        seed
        for seed in {seed for *_, seed in runs}
        if all((trainer, source, seed) in runs for trainer in trainers for source in sources)
    )
    if len(complete) < 2:
        raise ValueError(f"all runs are there of {count_of(len(complete), 'seed')}: expected two or more")
    means = [
        [
            f"of {FRAMEWORKS[source].title}",
            *(f"{statistics.fmean(runs[trainer, source, seed] for seed in complete):.3f}" for trainer in trainers),
        ]
        for source in sources
    ]
    effects = [
        [f"{FRAMEWORKS[second].title}'s {what} instead of {FRAMEWORKS[first].title}'s", *_interval(differences)]
        for what, names in (("trainer", trainers), ("initial weights", sources))
        for first, second in combinations(names, 2)
        for differences in [
            [_mean_of(runs, what, second, seed) - _mean_of(runs, what, first, seed) for seed in complete]
        ]
    ]
    return [
        f"-ELBO on the training images in the last epoch, in nats, mean of {len(complete)} seeds:",
        *table(["initial weights", *(f"trained in {FRAMEWORKS[name].title}" for name in trainers)], means),
        *table(["effect", "mean difference", f"{CONFIDENCE:.0%} interval"], effects),
    ]


def _mean_of(runs: Runs, what: str, name: str, seed: int) -> float:
    values = [
        loss
        for (trainer, source, of), loss in runs.items()
        if of == seed and name == (trainer if what == "trainer" else source)
    ]
    return statistics.fmean(values)


def _interval(differences: Sequence[float]) -> tuple[str, str]:
    return f"{statistics.fmean(differences):+.3f}", f"± {half_width(differences):.3f}"


def _train(options: argparse.Namespace, known: Runs) -> Iterator[dict[str, Any]]:
    dataset = load_dataset("mnist")
    model = ModelConfig(image_shape=dataset.image_shape)
    names, sources = (
        [canonical_framework(name.strip()) for name in text.split(",")]
        for text in (options.trainers, options.weights_of)
    )
    trainers = {name: import_trainer(name, "train").Trainer for name in {*names, *sources}}
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    for seed, name, source in product(seeds, names, sources):
        if (name, source, seed) in known:
            continue
        config = replace(PRESETS["quick"], epochs=options.epochs, seed=seed)
        images = binarize(dataset.train[: options.images], target=config.target, seed=TRAIN_SEED)
        weights = trainers[source](model, config, images, device="cpu").weights()
        trainer = trainers[name](model, config, images, device="cpu", weights=weights)
        elbos = []
        for epoch in range(1, config.epochs + 1):
            order, noise_seed = draw_epoch(len(images), batch_size=config.batch_size, seed=seed, epoch=epoch)
            batches, _ = trainer.train_epoch(order, seed=noise_seed)
            elbos.append(round(float(np.mean(batches, dtype=np.float64)), 4))
        yield {"trainer": name, "weights_of": source, "seed": seed, "train_elbo": elbos}


if __name__ == "__main__":
    main()
