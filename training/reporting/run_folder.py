"""What a run leaves beside its checkpoint: `config.json`, `metrics.jsonl` and TensorBoard's events. Draws nothing."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from training.config import ModelConfig, TrainConfig
from training.data import Dataset
from training.errors import RunFolderError
from training.machine import installed_versions
from training.reporting.events import EventLog
from training.reporting.records import Record

CONFIG: Final = "config.json"
METRICS: Final = "metrics.jsonl"

_SCALARS: Final = {
    "elbo/train": "train_elbo",
    "elbo/validation": "validation_elbo",
    "kl_divergence/train": "train_kl_divergence",
    "kl_divergence/validation": "validation_kl_divergence",
    "learning_rate": "learning_rate",
    "images_per_second": "images_per_second",
}


class RunFolder:
    """One run's folder; what is recorded is on disk when a call returns."""

    def __init__(self, path: Path, config: Mapping[str, Any], *, resumed_after: int = 0) -> None:
        """Make the folder, or go on in it.

        Args:
            path: The folder.
            config: JSON values that say what the run is; versions and the time of the start are added to them.
            resumed_after: The last epoch whose state the run goes on from: what is recorded of later ones is taken
                back, for they come again. 0 begins anew, without what an earlier run recorded here.

        Raises:
            RunFolderError: It can't be read or written.
        """
        self.path = path
        with self._writing():
            path.mkdir(parents=True, exist_ok=True)
            _write_config(path / CONFIG, config, resumed_after=resumed_after)
            earlier = read_metrics(path) if resumed_after else []
            kept = [record for record in earlier if record["epoch"] <= resumed_after]
            _replace(path / METRICS, "".join(f"{json.dumps(record)}\n" for record in kept))
            self._metrics = (path / METRICS).open("a", encoding="utf-8")
            self._events = EventLog(path, resumed_after=resumed_after)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._writing():
            self._metrics.close()
            self._events.close()

    def record(self, record: Record) -> None:
        """Add an epoch's figures to the metrics and the events."""
        scalars = {tag: record[name] for tag, name in _SCALARS.items()}
        losses = {tag.replace("elbo", "loss"): -value for tag, value in scalars.items() if tag.startswith("elbo/")}
        with self._writing():
            self._metrics.write(f"{json.dumps(record)}\n")
            self._metrics.flush()
            self._events.add_scalars(int(record["epoch"]), scalars | losses)

    def add_scalars(self, epoch: int, scalars: Mapping[str, float]) -> None:
        """Add numbers to the events."""
        with self._writing():
            self._events.add_scalars(epoch, scalars)

    def add_picture(self, epoch: int, tag: str, png: bytes) -> None:
        """Add the content of a PNG file to the events."""
        with self._writing():
            self._events.add_picture(epoch, tag, png)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunFolderError(f"{self.path}: can't be written: {error.strerror}; choose another folder") from error


def describe_run(
    origin: Mapping[str, Any], model: ModelConfig, config: TrainConfig, dataset: Dataset
) -> dict[str, Any]:
    """Return what `config.json` says of a run, as JSON values.

    Args:
        origin: Framework, its version, device, command and machine, by name.
        model: The architecture.
        config: The options.
        dataset: What is trained on.
    """
    return {
        **origin,
        "model": model.to_json(),
        "training": config.to_json(),
        "images": {part: len(getattr(dataset, part)) for part in ("train", "validation", "test")},
    }


def read_metrics(folder: Path) -> list[Record]:
    """Return what a run's folder records of its epochs, in their order; nothing where it records nothing.

    Raises:
        RunFolderError: A line isn't an epoch's record.
    """
    path = folder / METRICS
    return list(_parse(path, path.read_text(encoding="utf-8"))) if path.exists() else []


def _parse(path: Path, text: str) -> Iterator[Record]:
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        if number == len(lines) and not line.endswith("\n"):
            return  # a process was killed while it wrote
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict) or not isinstance(record.get("epoch"), int):
            raise RunFolderError(
                f"{path}: line {number}: expected a JSON object with an epoch, found {line[:40]!r}; "
                "restore the file, or delete it"
            )
        yield record


def _write_config(path: Path, config: Mapping[str, Any], *, resumed_after: int) -> None:
    start = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "resumed_after": resumed_after,
        "versions": installed_versions(),
    }
    starts = []
    if resumed_after and path.exists():
        try:
            starts = json.loads(path.read_text(encoding="utf-8"))["starts"]
        except (ValueError, TypeError, KeyError) as error:
            raise RunFolderError(
                f"{path}: expected a JSON object with starts, found another; restore the file, or delete it"
            ) from error
    _replace(path, json.dumps({**config, "starts": [*starts, start]}, indent=2) + "\n")


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
