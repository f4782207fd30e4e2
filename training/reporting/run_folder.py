"""Files of a run beside its checkpoint: `config.json`, `metrics.jsonl` and TensorBoard's events. Draws nothing."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from training.atomic_file import write_atomically
from training.config import ModelConfig, TrainConfig
from training.data import Dataset
from training.errors import RunFolderError
from training.machine import installed_versions
from training.reporting.epoch_records import Record, is_record
from training.reporting.tensorboard import EventLog

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
    """Folder of one run; every call returns after its records are written to disk."""

    def __init__(self, path: Path, config: Mapping[str, Any], *, resumed_after: int = 0) -> None:
        """Create the folder, or continue in an existing one.

        Args:
            path: The folder.
            config: JSON values that describe the run; versions and start time are added.
            resumed_after: Last epoch of the resumed state; records of later epochs are removed, as they are repeated.
                0 removes all records of an earlier run.

        Raises:
            RunFolderError: It can't be read or written.
        """
        self.path = path
        with self._writing():
            path.mkdir(parents=True, exist_ok=True)
            _write_config(path / CONFIG, config, resumed_after=resumed_after)
            earlier = read_metrics(path) if resumed_after else []
            records = [record for record in earlier if record["epoch"] <= resumed_after]
            write_atomically(path / METRICS, "".join(f"{json.dumps(record)}\n" for record in records).encode())
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
        """Append an epoch's metrics to `metrics.jsonl` and the events."""
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
    """Return the content of `config.json`, as JSON values.

    Args:
        origin: Framework, its version, device, command and machine, by name.
        model: The architecture.
        config: The options.
        dataset: The training data.
    """
    return {
        **origin,
        "model": model.to_json(),
        "training": config.to_json(),
        "images": {part: len(getattr(dataset, part)) for part in ("train", "validation", "test")},
    }


def read_metrics(folder: Path) -> list[Record]:
    """Return the epoch records of a run's folder, in order; empty if there are none.

    Raises:
        RunFolderError: A line isn't an epoch's record, or the file can't be read.
    """
    path = folder / METRICS
    try:
        # Bytes that are no text stay visible in the message of their line.
        return list(_parse(path, path.read_text(encoding="utf-8", errors="backslashreplace")))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunFolderError(f"{path}: can't be read: {error.strerror}; restore the file, or delete it") from error


def _parse(path: Path, text: str) -> Iterator[Record]:
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        if number == len(lines) and not line.endswith("\n"):
            return  # the last line of a process killed while writing
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not is_record(record):
            raise RunFolderError(
                f"{path}: line {number}: expected a JSON object with an epoch and its metrics, found {line[:40]!r}; "
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
            starts = list(json.loads(path.read_text(encoding="utf-8"))["starts"])
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise RunFolderError(
                f"{path}: expected a JSON object with starts, found another; restore the file, or delete it"
            ) from error
    write_atomically(path, (json.dumps({**config, "starts": [*starts, start]}, indent=2) + "\n").encode())
