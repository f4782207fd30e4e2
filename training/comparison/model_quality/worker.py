"""One training run from a seed to test metrics. Its duration isn't a timing."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.comparison.config import recipe
from training.comparison.subset import take_images
from training.config import ModelConfig
from training.data import TEST_SEED, binarize, load_dataset
from training.engine.evaluation import load_evaluator
from training.engine.likelihood_bounds import measure
from training.engine.run import EVALUATION_TARGET, Run


def run(  # noqa: PLR0913 - one for each option
    framework: str,
    *,
    seed: int,
    preset: str,
    epochs: int | None,
    device: str,
    images: int,
    test_images: int,
    draws: int,
    samples: int,
) -> dict[str, Any]:
    """Train with a seed, and return each epoch's ELBO and the best epoch's test metrics, in nats per image."""
    config = recipe(preset, epochs, seed=seed)
    dataset = take_images(load_dataset(config.dataset), images, test_images)
    training = Run(framework, ModelConfig(image_shape=dataset.image_shape), config, dataset, device=device)
    with tempfile.TemporaryDirectory() as folder:
        curve = [
            {"epoch": epoch.number, "train_elbo": epoch.train_elbo, "validation_elbo": epoch.validation_elbo}
            for epoch in training.train(Path(folder) / "model.safetensors", origin={})
        ]
    best = training.best
    assert best is not None, "the first epoch is the best so far"
    measured = measure(
        load_evaluator(framework, best.model, device=device),
        best.weights,
        binarize(dataset.test, target=EVALUATION_TARGET, seed=TEST_SEED),
        draws=draws,
        samples=(samples,),
    )
    return {
        "curve": curve,
        "best_epoch": best.metrics["epochs"],
        **{name: asdict(getattr(measured, name)) for name in ("elbo", "log_likelihood", "kl_divergence", "iwae")},
        "effective_samples": measured.bounds[-1].effective_samples,
        "active_units": measured.active_units,
    }
