"""The runs of a sweep, as trials of an Optuna study in an SQLite file. Chooses no recipe and prints nothing."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import OptunaError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import SQLAlchemyError

from training.checkpoints.safetensors_file import ensure_writable
from training.config import COMPUTE_DTYPES, INITIALIZATIONS, ModelConfig, TrainConfig
from training.data import Dataset
from training.engine.epoch import Epoch
from training.engine.resume_state import STATE_FILE, load_training_state
from training.engine.run import Run
from training.errors import CheckpointError, DivergenceError, RunFolderError
from training.sweep.recipes import Cell

STORAGE: Final = "sweep.sqlite3"
"""Name of the study's file, which Optuna's own tools read too."""


_DISTRIBUTIONS: Final[Mapping[str, BaseDistribution]] = {
    "epochs": IntDistribution(1, 100_000),
    "batch_size": IntDistribution(1, 65536),
    "learning_rate": FloatDistribution(0, 1),
    "warmup_epochs": FloatDistribution(0, 1e6),
    "adam_b1": FloatDistribution(0, 1),
    "adam_b2": FloatDistribution(0, 1),
    "adam_epsilon": FloatDistribution(0, 1),
    "ema_decay": FloatDistribution(0, 1),
    "compute_dtype": CategoricalDistribution(COMPUTE_DTYPES),
    "initialization": CategoricalDistribution(INITIALIZATIONS),
    "seed": IntDistribution(0, 2**31 - 1),
}
"""Every value that a recipe may set, the same for all trials: Optuna allows no others in one study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A finished run of a sweep."""

    cell: Cell

    validation_elbo: float | None
    """The best epoch's mean over the validation images, in nats; None if the run diverged."""

    epoch: int | None
    """Number of that epoch."""

    seconds: float
    """Wall time of the run."""

    reason: str | None = None
    """Why there is no metric."""


class SweepStudy:
    """The runs of one framework on one data set."""

    def __init__(  # noqa: PLR0913 -- the last two by keyword
        self,
        folder: Path,
        framework: str,
        model_config: ModelConfig,
        dataset: Dataset,
        *,
        device: str,
        describe_origin: Callable[[TrainConfig], Mapping[str, Any]],
    ) -> None:
        """Open or create the study in the folder.

        Args:
            folder: The study's folder.
            framework: Canonical name.
            model_config: The architecture of all runs.
            dataset: The data set of all runs.
            device: Where to train.
            describe_origin: Returns further metadata of a run's checkpoint.

        Raises:
            CheckpointError: The folder can't be written.
            RunFolderError: The study's file can't be read.
        """
        self._folder = folder
        self._framework = framework
        self._model_config = model_config
        self._dataset = dataset
        self._device = device
        self._describe_origin = describe_origin
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        ensure_writable(folder / STORAGE)
        with self._storing():
            self._study = optuna.create_study(
                study_name=framework,
                storage=RDBStorage(f"sqlite:///{folder / STORAGE}"),
                direction="maximize",
                load_if_exists=True,
            )

    def outcomes(self, cells: Sequence[Cell]) -> list[Outcome]:
        """Return the finished runs among these, in their order."""
        with self._storing():
            finished = {trial.user_attrs.get("key"): trial for trial in self._study.get_trials()}
        return [_outcome(cell, finished[self._key(cell)]) for cell in cells if self._key(cell) in finished]

    def run(self, cell: Cell) -> Iterator[Epoch]:
        """Train one run to its end, from where it was interrupted if it was, and record its outcome.

        A caller that stops in between leaves the run unfinished; the state after its last epoch is kept.
        """
        path = self._path(cell)
        ensure_writable(path)
        run = self._resume(cell)
        try:
            yield from run.train(path, origin={**self._describe_origin(cell.config), "data_sha256": run.data_sha256})
        except DivergenceError as error:
            self._record(cell, state=TrialState.FAIL, attributes={"reason": str(error)})
        else:
            assert run.best is not None, "it has an epoch"
            attributes = {name: run.best.metrics[name] for name in ("epochs", "seconds")}
            self._record(cell, value=run.best.metrics["validation_elbo"], attributes=attributes)

    def test(self, cell: Cell) -> float:
        """Return a finished run's mean test ELBO, which is measured once and kept in the checkpoint.

        Raises:
            RunFolderError: The run's files are missing or damaged.
        """
        run = self._resume(cell)
        if run.best is None:
            raise RunFolderError(
                f"{self._path(cell).parent}: expected the files of a finished run, found none that can be read; "
                "restore the folder, or start the sweep again in another one"
            )
        if "test_elbo" not in run.best.metrics:
            run.test(self._path(cell))
            run.finish(self._path(cell))
        return float(run.best.metrics["test_elbo"])

    def _resume(self, cell: Cell) -> Run:
        run = Run(self._framework, self._model_config, cell.config, self._dataset, device=self._device)
        with suppress(CheckpointError):  # none yet, or damaged: the run starts from the beginning
            run.resume(load_training_state(self._path(cell).with_name(STATE_FILE)), self._path(cell))
        return run

    def _record(self, cell: Cell, *, attributes: dict[str, Any], **result: Any) -> None:
        values = cell.config.to_json()
        trial = create_trial(
            params={name: values[name] for name in _DISTRIBUTIONS},
            distributions=dict(_DISTRIBUTIONS),
            user_attrs={"key": self._key(cell), "recipe": cell.recipe, **attributes},
            **result,
        )
        with self._storing():
            self._study.add_trial(trial)

    @contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            yield
        except (OptunaError, SQLAlchemyError, RuntimeError) as error:
            reason = str(error.__cause__ or error).partition("\n")[0]
            raise RunFolderError(
                f"{self._folder / STORAGE}: can't be read or written as Optuna's study: "
                f"{reason}; restore the file, or choose another folder with --out"
            ) from error

    def _path(self, cell: Cell) -> Path:
        """Return the path of the run's checkpoint, in a folder that no run with another key has."""
        digest = sha256(self._key(cell).encode()).hexdigest()[:8]
        recipe = re.sub(r"[^a-zA-Z0-9.]+", "-", cell.recipe)[:60]
        return self._folder / self._framework / f"{recipe}-{digest}" / "model.safetensors"

    def _key(self, cell: Cell) -> str:
        """Return everything that determines a run's result."""
        values: dict[str, Any] = {
            "model": self._model_config.to_json(),
            "config": cell.config.to_json(),
            "data": self._dataset.sha256(),
        }
        return json.dumps(values, sort_keys=True)


def _outcome(cell: Cell, trial: FrozenTrial) -> Outcome:
    return Outcome(
        cell=cell,
        validation_elbo=trial.value,
        epoch=trial.user_attrs.get("epochs"),
        seconds=trial.user_attrs.get("seconds", 0.0),
        reason=trial.user_attrs.get("reason"),
    )
