"""What the three trainers share: epochs, evaluation, what is kept. Imports no framework, prints nothing."""

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32
from numpy import ndarray

from training.checkpoint import Checkpoint, Weights, load_checkpoint, save_checkpoint
from training.config import ModelConfig, TrainConfig
from training.data import TEST_SEED, TRAIN_SEED, VALIDATION_SEED, Dataset, binarize
from training.errors import CheckpointError, ConfigError, DataError, DivergenceError
from training.evaluation import Evaluation, Evaluator, evaluate
from training.frameworks import require_installed
from training.tensor_file import remove_leftovers
from training.trainer import Trainer
from training.training_state import STATE_FILE, TrainingState, save_training_state

EVALUATION_TARGET = "fixed"
"""How validation and test images are made binary; figures on other targets are not comparable."""

TEST_DRAWS = 10
"""Draws of noise for each image of the test figure."""


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


_CALMER = "start anew with a lower learning rate or a longer warm-up; what was saved before is left as it is"


class Run:
    """One framework's run: `train`, then `test`; the best checkpoint so far is on disk and in `best`.

    Beside the checkpoint is the run's state. Killed at any moment, a run of the same config on the same images that is
    given it by `resume` ends with the same weights: on a CPU, bit for bit.
    """

    trainer: Trainer
    """The framework's part."""

    best: Checkpoint | None = None
    """The best so far."""

    epoch: int = 0
    """Epochs done."""

    def __init__(
        self, framework: str, model_config: ModelConfig, config: TrainConfig, dataset: Dataset, *, device: str
    ) -> None:
        """Load the framework, and put the training images on the device.

        Raises:
            FrameworkNotInstalledError: The framework's packages are absent.
            ConfigError: What is to be computed in isn't to be had on the device.
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
        self.trainer = module.Trainer(model_config, config, images, device=device)
        if config.compute_dtype == "tf32" and self.trainer.device == "cpu":
            raise ConfigError("compute_dtype is 'tf32', which a CPU hasn't: expected float32 or bfloat16 there")
        self._evaluator: Evaluator = module.Evaluator(model_config, device=device)
        self.model_config = model_config
        self.config = config
        self.dataset = dataset
        self._id = uuid.uuid4().hex
        self._data_sha256 = dataset.sha256()

    def resume(self, state: TrainingState, path: Path) -> None:
        """Go on from where the run was whose state this is, and whose best checkpoint is at `path`.

        Raises:
            DataError: The images aren't those that the run began with.
            CheckpointError: The best checkpoint can't be read, or is another run's.
        """
        if state.data_sha256 != self._data_sha256:
            raise DataError(
                f"{self.dataset.name}: expected the images that the run began with, found others; "
                "restore them, or start anew without --resume"
            )
        if state.best:
            best = load_checkpoint(path)
            same = all(best.metrics.get(name) == state.best.get(name) for name in ("epochs", "validation_elbo"))
            # Killed between the two files, a run has the next epoch's checkpoint already: that epoch comes again.
            if not same and best.metrics.get("epochs") != state.epoch + 1:
                raise CheckpointError(
                    f"{path}: expected the run's best epoch so far, {state.best.get('epochs')}, "
                    f"found another's, {best.metrics.get('epochs')}; start anew without --resume"
                )
            self.best = best
        self.trainer.restore(state.trainer)
        self.epoch = state.epoch
        self._id = state.run
        self._start -= state.seconds

    def train(self, path: Path, *, origin: Mapping[str, Any]) -> Iterator[Epoch]:
        """Train epoch by epoch, replacing the state after each, and the checkpoint if it is the best so far.

        Args:
            path: The checkpoint file; the state is beside it.
            origin: JSON values that the checkpoint holds beside the config, such as the command.

        Raises:
            CheckpointError: A file can't be written.
            DivergenceError: A loss became NaN or infinite; both files are those of the epochs before.
        """
        remove_leftovers(path)
        remove_leftovers(path.with_name(STATE_FILE))
        if self.epoch == 0:
            self._save_state(path)
        validation = binarize(self.dataset.validation, target=EVALUATION_TARGET, seed=VALIDATION_SEED)
        for number in range(self.epoch + 1, self.config.epochs + 1):
            began = time.perf_counter()
            order, seed = self._draw_order(number)
            elbos, kls = self.trainer.train_epoch(order, seed=seed)
            _check_figures(number, elbos, kls)
            seconds = time.perf_counter() - began
            weights = self.trainer.weights()
            measured = evaluate(self._evaluator, weights, validation, draws=1)
            if not np.isfinite(measured.elbo):
                raise DivergenceError(f"epoch {number}: the validation loss is {-measured.elbo}; {_CALMER}")
            epoch = Epoch(
                number=number,
                seconds=seconds,
                train_elbo=float(np.mean(elbos, dtype=np.float64)),
                train_kl=float(np.mean(kls, dtype=np.float64)),
                validation_elbo=measured.elbo,
                validation_kl=measured.kl_divergence,
                best=self.best is None or measured.elbo > self.best.metrics["validation_elbo"],
            )
            if epoch.best:
                self.best = save_checkpoint(path, self._checkpoint(weights, epoch, origin))
            self.epoch = number
            self._save_state(path)
            yield epoch

    def test(self, path: Path) -> Evaluation:
        """Measure the best checkpoint on the test images, and write the figures into it.

        Raises:
            CheckpointError: The checkpoint can't be written.
        """
        assert self.best is not None, "train first"
        images = binarize(self.dataset.test, target=EVALUATION_TARGET, seed=TEST_SEED)
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
        self._save_state(path, finished=True)
        return measured

    def _draw_order(self, number: int) -> tuple[Int32[ndarray, "steps batch"], int]:
        # Seed and epoch decide both, so that an epoch is the same whatever came before it.
        order_seed, noise_seed = np.random.SeedSequence([self.config.seed, number]).generate_state(2)
        order = np.random.default_rng(order_seed).permutation(len(self.dataset.train)).astype(np.int32)
        steps = len(order) // self.config.batch_size
        return order[: steps * self.config.batch_size].reshape(steps, -1), int(noise_seed >> 1)

    def _save_state(self, path: Path, *, finished: bool = False) -> None:
        state = TrainingState(
            trainer=self.trainer.state(),
            run=self._id,
            epoch=self.epoch,
            finished=finished,
            framework=self.trainer.framework,
            framework_version=self.trainer.framework_version,
            device=self.trainer.device,
            model=self.model_config,
            config=self.config,
            data_sha256=self._data_sha256,
            seconds=time.perf_counter() - self._start,
            best=self.best.metrics if self.best else {},
        )
        save_training_state(path.with_name(STATE_FILE), state)

    def _checkpoint(self, weights: Weights, epoch: Epoch, origin: Mapping[str, Any]) -> Checkpoint:
        return Checkpoint(
            weights=weights,
            model=self.model_config,
            framework=self.trainer.framework,
            framework_version=self.trainer.framework_version,
            training={**self.config.to_json(), "device": self.trainer.device, **origin},
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


def _check_figures(number: int, elbos: Float32[ndarray, "steps"], kls: Float32[ndarray, "steps"]) -> None:
    broken = np.flatnonzero(~(np.isfinite(elbos) & np.isfinite(kls)))
    if len(broken):
        first = int(broken[0])
        raise DivergenceError(
            f"epoch {number}, batch {first + 1} of {len(elbos)}: the loss is {-elbos[first]}; {_CALMER}"
        )
