"""What the three trainers share: epochs, evaluation, the best checkpoint. Imports no framework, prints nothing."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jaxtyping import Int32
from numpy import ndarray

from training.checkpoint import Checkpoint, Weights, save_checkpoint
from training.config import ModelConfig, TrainConfig
from training.data import TEST_SEED, TRAIN_SEED, VALIDATION_SEED, Dataset, binarize
from training.errors import DataError
from training.evaluation import Evaluation, Evaluator, evaluate
from training.frameworks import require_installed

EVALUATION_TARGET = "fixed"
"""How validation and test images are made binary; figures on other targets are not comparable."""

TEST_DRAWS = 10
"""Draws of noise for each image of the test figure."""


class Trainer(Protocol):
    """One framework's training run, in memory."""

    framework: str
    framework_version: str
    device: str

    def train_epoch(self, order: Int32[ndarray, "steps batch"], *, seed: int) -> tuple[float, float]:
        """Train on the images in this order and return the mean ELBO and KL of the epoch, in nats."""
        ...

    def weights(self) -> Weights:
        """Return the averaged weights in canonical form."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """What one epoch came to, in nats per image."""

    number: int
    """From 1."""

    seconds: float
    """Wall time of the epoch, without validation."""

    train_elbo: float
    """Mean over the epoch, while the weights changed, on the images as they were drawn."""

    train_kl: float
    """Likewise."""

    validation_elbo: float
    """Mean over the validation images after the epoch, with the averaged weights."""

    validation_kl: float
    """Likewise."""

    best: bool
    """The validation ELBO is the highest so far, and the checkpoint was written."""


class Run:
    """One framework's run: `train`, then `test`; the best checkpoint so far is on disk and in `best`."""

    best: Checkpoint | None = None

    def __init__(
        self, framework: str, model_config: ModelConfig, config: TrainConfig, dataset: Dataset, *, device: str
    ) -> None:
        """Load the framework, and put the training images on the device.

        Raises:
            FrameworkNotInstalledError: The framework's packages are absent.
            DataError: There are fewer training images than one batch holds.
            DeviceError: The device isn't available.
        """
        if len(dataset.train) < config.batch_size:
            raise DataError(
                f"{dataset.name} has {len(dataset.train)} training images: expected at least one batch of "
                f"{config.batch_size}; choose a smaller batch size"
            )
        require_installed(framework)
        self._start = time.perf_counter()
        module = import_module(f"training.{framework}_vae.train")
        images = binarize(dataset.train, target=config.target, seed=TRAIN_SEED)
        self.trainer: Trainer = module.Trainer(model_config, config, images, device=device)
        self._evaluator: Evaluator = module.Evaluator(model_config, device=device)
        self._model_config = model_config
        self._config = config
        self._dataset = dataset

    def train(self, path: Path, *, origin: Mapping[str, Any]) -> Iterator[Epoch]:
        """Train epoch by epoch, replacing the checkpoint at `path` after each that is the best so far.

        Args:
            path: The checkpoint file.
            origin: JSON values that the checkpoint holds beside the config, such as the command.

        Raises:
            CheckpointError: The checkpoint can't be written.
        """
        validation = binarize(self._dataset.validation, target=EVALUATION_TARGET, seed=VALIDATION_SEED)
        for number in range(1, self._config.epochs + 1):
            began = time.perf_counter()
            order, seed = self._draw_order(number)
            train_elbo, train_kl = self.trainer.train_epoch(order, seed=seed)
            seconds = time.perf_counter() - began
            weights = self.trainer.weights()
            measured = evaluate(self._evaluator, weights, validation, draws=1)
            epoch = Epoch(
                number=number,
                seconds=seconds,
                train_elbo=train_elbo,
                train_kl=train_kl,
                validation_elbo=measured.elbo,
                validation_kl=measured.kl_divergence,
                best=self.best is None or measured.elbo > self.best.metrics["validation_elbo"],
            )
            if epoch.best:
                self.best = save_checkpoint(path, self._checkpoint(weights, epoch, origin))
            yield epoch

    def test(self, path: Path) -> Evaluation:
        """Measure the best checkpoint on the test images, and write the figures into it.

        Raises:
            CheckpointError: The checkpoint can't be written.
        """
        assert self.best is not None, "train first"
        images = binarize(self._dataset.test, target=EVALUATION_TARGET, seed=TEST_SEED)
        measured = evaluate(self._evaluator, self.best.weights, images, draws=TEST_DRAWS)
        metrics = {
            **self.best.metrics,
            "seconds": round(time.perf_counter() - self._start, 2),
            "test_target": EVALUATION_TARGET,
            "test_images": len(images),
            "test_draws": TEST_DRAWS,
            **{f"test_{name}": value for name, value in asdict(measured).items()},
        }
        self.best = save_checkpoint(path, replace(self.best, metrics=metrics))
        return measured

    def _draw_order(self, number: int) -> tuple[Int32[ndarray, "steps batch"], int]:
        # Seed and epoch decide both, so that an epoch is the same whatever came before it.
        order_seed, noise_seed = np.random.SeedSequence([self._config.seed, number]).generate_state(2)
        order = np.random.default_rng(order_seed).permutation(len(self._dataset.train)).astype(np.int32)
        steps = len(order) // self._config.batch_size
        return order[: steps * self._config.batch_size].reshape(steps, -1), int(noise_seed >> 1)

    def _checkpoint(self, weights: Weights, epoch: Epoch, origin: Mapping[str, Any]) -> Checkpoint:
        return Checkpoint(
            weights=weights,
            model=self._model_config,
            framework=self.trainer.framework,
            framework_version=self.trainer.framework_version,
            training={**self._config.to_json(), "device": self.trainer.device, **origin},
            metrics={
                "epochs": epoch.number,
                "seconds": round(time.perf_counter() - self._start, 2),
                "train_elbo": epoch.train_elbo,
                "train_kl_divergence": epoch.train_kl,
                "validation_target": EVALUATION_TARGET,
                "validation_elbo": epoch.validation_elbo,
                "validation_kl_divergence": epoch.validation_kl,
            },
        )
