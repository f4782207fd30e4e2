"""The training run: epochs, evaluation, checkpoints and resumption. Imports no framework, prints nothing."""

import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from training.atomic_file import remove_leftovers
from training.checkpoints.checkpoint import Checkpoint, Weights, parse_checkpoint, save_checkpoint
from training.checkpoints.safetensors_file import advise, read_content
from training.config import ModelConfig, TrainConfig
from training.data import TEST_SEED, TRAIN_SEED, VALIDATION_SEED, Dataset, binarize
from training.engine.batch_order import draw_epoch
from training.engine.divergence import check_training, check_validation
from training.engine.epoch import Epoch
from training.engine.evaluation import Evaluation, Evaluator, evaluate
from training.engine.initial_weights import draw_initial_weights
from training.engine.resume_state import STATE_FILE, TrainingState, save_training_state
from training.engine.run_checks import check_cpu_dtype, check_run
from training.engine.snapshot_recorder import SnapshotRecorder
from training.engine.trainer import Trainer
from training.errors import CheckpointError, DataError
from training.frameworks import import_trainer
from training.machine import describe_environment

EVALUATION_TARGET = "fixed"
"""Binarization of validation and test images; metrics on other targets are not comparable."""

TEST_DRAWS = 10
"""Draws of noise per test image."""

_ADVICE = "restore it, or start again with --overwrite"


class Run:
    """One framework's run: `train`, `test`, then `finish`; the best checkpoint so far is on disk and in `best`.

    Its state is saved beside the checkpoint. A run that was killed at any moment and is continued by `resume`, with
    the same config and images, ends with the same weights: bit for bit on a CPU, with the same
    versions and the same number of cores.
    """

    trainer: Trainer
    """The framework's trainer."""

    best: Checkpoint | None = None
    """The best checkpoint so far."""

    epoch: int = 0
    """Number of completed epochs."""

    environment: dict[str, Any]
    """Cores, threads, processor and versions, on which the last digits of a result depend."""

    def __init__(  # noqa: PLR0913 -- the last two by keyword
        self,
        framework: str,
        model_config: ModelConfig,
        config: TrainConfig,
        dataset: Dataset,
        *,
        device: str,
        devices: int = 1,
    ) -> None:
        """Load the framework, and copy the training images to the devices, which share each batch.

        Raises:
            FrameworkNotInstalledError: The framework's packages are absent.
            ConfigError: The device doesn't support the compute dtype, a batch can't be divided among the devices, or
                the run is larger than this machine's memory.
            DataError: There are fewer training images than the batch size, or none beside the validation images.
            DeviceError: The device isn't available.
        """
        if config.validation_images is not None:
            dataset = dataset.hold_out(config.validation_images)
        check_run(model_config, config, dataset, device=device, devices=devices)
        self._start = time.perf_counter()
        module = import_trainer(framework, "train")
        images = binarize(dataset.train, target=config.target, seed=TRAIN_SEED)
        weights = draw_initial_weights(model_config, config)
        self.trainer = module.Trainer(model_config, config, images, device=device, devices=devices, weights=weights)
        if self.trainer.device == "cpu":
            check_cpu_dtype(config)
        self._evaluator: Evaluator = module.Evaluator(model_config, device=device)
        self.model_config = model_config
        self.config = config
        self.dataset = dataset
        self.devices = devices
        self.environment = describe_environment(framework) | ({"devices": devices} if devices > 1 else {})
        self._id = uuid.uuid4().hex
        self.data_sha256 = dataset.sha256()
        self._origin: Mapping[str, Any] = {}
        self._snapshots: Collection[int] | None = None

    def resume(self, state: TrainingState, path: Path) -> None:
        """Resume the run of a saved state, whose best checkpoint is at `path`.

        Raises:
            DataError: The images differ from those of the run.
            CheckpointError: The best checkpoint can't be read, or belongs to another run.
        """
        if state.data_sha256 != self.data_sha256:
            raise DataError(
                f"{self.dataset.name}: expected the images that the run began with, found others; "
                "restore them, or start again with --overwrite"
            )
        if state.best:
            with advise(_ADVICE):
                best = parse_checkpoint(path, read_content(path, advice="it holds the best epoch so far"))
            same = all(best.metrics.get(name) == state.best.get(name) for name in ("epochs", "validation_elbo"))
            # Killed between the two writes, a run has the next epoch's checkpoint already: the epoch is repeated.
            if not same and best.metrics.get("epochs") != state.epoch + 1:
                raise CheckpointError(
                    f"{path}: expected the run's best epoch so far, {state.best.get('epochs')}, "
                    f"found another's, {best.metrics.get('epochs')}; start again with --overwrite"
                )
            self.best = best
        self.trainer.restore(state.trainer)
        self.epoch = state.epoch
        self._id = state.run
        self._origin, self._snapshots = state.origin, state.snapshots
        self._start -= state.seconds

    def train(self, path: Path, *, origin: Mapping[str, Any], snapshots: Collection[int] = ()) -> Iterator[Epoch]:
        """Train epoch by epoch, replacing the state after each, and the checkpoint if it is the best so far.

        Args:
            path: The checkpoint file; the state is beside it.
            origin: Further JSON values for the checkpoint's metadata, such as the command.
            snapshots: Epochs whose weights are kept beside the checkpoint; 0 is before the first.

        Raises:
            CheckpointError: A file can't be written.
            DivergenceError: A loss became NaN or infinite; both files are those of the last good epoch.
        """
        self._origin, self._snapshots = origin, snapshots
        remove_leftovers(path)
        remove_leftovers(path.with_name(STATE_FILE))
        recorder = SnapshotRecorder(path, self.model_config, snapshots, resumed=self.epoch > 0)
        validation = binarize(self.dataset.validation, target=EVALUATION_TARGET, seed=VALIDATION_SEED)
        if self.epoch == 0:
            self._save_state(path)
            if recorder.is_due(0):
                initial = self.trainer.weights()
                measured = evaluate(self._evaluator, initial, validation, draws=1)
                recorder.add(0, initial, validation_elbo=measured.elbo)
        for number in range(self.epoch + 1, self.config.epochs + 1):
            began = time.perf_counter()
            order, seed = draw_epoch(
                len(self.dataset.train), batch_size=self.config.batch_size, seed=self.config.seed, epoch=number
            )
            elbos, kls = self.trainer.train_epoch(order, seed=seed)
            check_training(number, elbos, kls)
            seconds = time.perf_counter() - began
            weights = self.trainer.weights()
            measured = evaluate(self._evaluator, weights, validation, draws=1)
            check_validation(number, measured.elbo)
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
                self.best = save_checkpoint(path, self._checkpoint(weights, epoch))
            recorder.add(number, weights, validation_elbo=measured.elbo)
            self.epoch = number
            self._save_state(path)
            yield epoch

    def test(self, path: Path) -> Evaluation:
        """Evaluate the best checkpoint on the test images, and write the metrics into it.

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
        SnapshotRecorder(path, self.model_config, (), resumed=True).finish(self.best)
        return measured

    def finish(self, path: Path) -> None:
        """Save the state as finished: there is nothing to resume.

        Raises:
            CheckpointError: It can't be written.
        """
        self._save_state(path, finished=True)

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
            data_sha256=self.data_sha256,
            seconds=time.perf_counter() - self._start,
            environment=self.environment,
            origin=dict(self._origin),
            snapshots=None if self._snapshots is None else sorted(self._snapshots),
            best=self.best.metrics if self.best else {},
        )
        save_training_state(path.with_name(STATE_FILE), state)

    def _checkpoint(self, weights: Weights, epoch: Epoch) -> Checkpoint:
        devices = {"devices": self.devices} if self.devices > 1 else {}
        return Checkpoint(
            weights=weights,
            model=self.model_config,
            framework=self.trainer.framework,
            framework_version=self.trainer.framework_version,
            training={**self.config.to_json(), "device": self.trainer.device, **devices, **self._origin},
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
