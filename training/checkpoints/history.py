"""The history of one model: its replaced checkpoints, and a log of promotions and rollbacks. Applies no policy."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from training.checkpoints.model_files import ModelFile
from training.checkpoints.safetensors_file import read_content, remove_file, replace_file
from training.errors import PromotionError, UnwritableError

_CHECKPOINT: Final = "safetensors"

_LOCK: Final = "lock"

KEPT: Final = 10
"""Maximum number of replaced checkpoints kept per model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of the checkpoint in service."""

    time: str
    """UTC, ISO 8601."""

    action: str
    """`promote` or `rollback`."""

    checkpoint: str
    """ID of the checkpoint put in service."""

    replaced: str | None
    """ID of the previous checkpoint; None if there was none, or it couldn't be read."""

    summary: str
    """Data set and test ELBO of the checkpoint."""

    forced: bool = False
    """True if the comparison with the previous checkpoint was overridden."""


@dataclass(frozen=True, slots=True)
class _Record:
    previous: tuple[str, ...] = ()
    """IDs that rollbacks restore, last in, first out."""

    events: tuple[Event, ...] = ()


class History:
    """The folder of a model's replaced checkpoints. Hold `locked` around changes."""

    def __init__(self, model: ModelFile) -> None:
        self._model = model
        self._file = model.history / "history.json"

    @property
    def events(self) -> tuple[Event, ...]:
        """All events, oldest first."""
        return self._read().events

    @property
    def previous(self) -> tuple[str, ...]:
        """IDs of the checkpoints that a rollback can restore, most recently replaced last."""
        return self._read().previous

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Exclude other processes' changes of the model.

        Raises:
            UnwritableError: The folder can't be written.
            PromotionError: The history is damaged.
        """
        try:
            self._model.history.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._model.history / _LOCK, os.O_CREAT | os.O_RDWR, 0o644)
        except OSError as error:
            raise UnwritableError(f"{self._model.folder}: can't be written: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._read()  # before any change
            yield
        finally:
            os.close(descriptor)

    def push(self, checkpoint_id: str, content: bytes, side_files: Mapping[str, bytes]) -> None:
        """Keep a checkpoint that is about to be replaced, and its side files, as the next rollback target."""
        self.keep(checkpoint_id, content, side_files)
        record = self._read()
        previous = (*(kept_id for kept_id in record.previous if kept_id != checkpoint_id), checkpoint_id)
        self._write(replace(record, previous=previous[-KEPT:]))

    def keep(self, checkpoint_id: str, content: bytes, side_files: Mapping[str, bytes]) -> None:
        """Keep a checkpoint and its side files, which `promote` can put in service again."""
        replace_file(self._kept_path(checkpoint_id), content)
        for suffix, side_file in side_files.items():
            replace_file(self._kept_path(checkpoint_id, suffix), side_file)

    def find_before(self, checkpoint_id: str | None) -> str | None:
        """Return the ID of the last kept checkpoint other than the given one, or None."""
        others = (kept_id for kept_id in reversed(self._read().previous) if kept_id != checkpoint_id)
        return next((kept_id for kept_id in others if self._kept_path(kept_id).exists()), None)

    def read_kept(self, checkpoint_id: str) -> tuple[bytes, dict[str, bytes]]:
        """Return a kept checkpoint and its side files.

        Raises:
            CheckpointError: It can't be read.
        """
        path = self._kept_path(checkpoint_id)
        side_files = {suffix: self._kept_path(checkpoint_id, suffix) for suffix in self._model.side_files}
        return read_content(path, advice="promote another checkpoint"), read_existing_files(side_files)

    def pop(self, checkpoint_id: str) -> None:
        """Remove the checkpoint, and those replaced after it, from the rollback targets."""
        record = self._read()
        self._write(replace(record, previous=record.previous[: record.previous.index(checkpoint_id)]))

    def add(self, event: Event) -> Event:
        """Record an event, and return it; delete the files that no rollback and no recent event names."""
        record = self._read()
        events = (*record.events, event)
        self._write(replace(record, events=events))
        kept_ids = {*record.previous, *(event.replaced for event in events[-KEPT:])}
        for path in self._model.history.iterdir():
            if path != self._file and path.name.partition(".")[0] not in kept_ids | {_LOCK}:
                remove_file(path)
        return event

    def _kept_path(self, checkpoint_id: str, suffix: str = _CHECKPOINT) -> Path:
        return self._model.history / f"{checkpoint_id}.{suffix}"

    def _read(self) -> _Record:
        try:
            values = json.loads(self._file.read_text(encoding="utf-8"))
            return _Record(tuple(values["previous"]), tuple(Event(**event) for event in values["events"]))
        except FileNotFoundError:
            return _Record()
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise PromotionError(
                f"{self._file}: expected the history of {self._model}, found something else; restore or delete it"
            ) from error

    def _write(self, record: _Record) -> None:
        replace_file(self._file, (json.dumps(asdict(record), indent=2) + "\n").encode())


def read_existing_files(paths: Mapping[str, Path]) -> dict[str, bytes]:
    """Return the content of the files that exist, by the same keys.

    Raises:
        PromotionError: One can't be read.
    """
    try:
        return {key: path.read_bytes() for key, path in paths.items() if path.exists()}
    except OSError as error:
        raise PromotionError(f"{error.filename}: can't be read: {error.strerror}; restore or remove it") from error


def now() -> str:
    """Return the current time, UTC, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
