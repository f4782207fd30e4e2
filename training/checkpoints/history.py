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
from training.checkpoints.safetensors_file import replace_file
from training.errors import CheckpointError

_CHECKPOINT: Final = "safetensors"

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
            CheckpointError: The folder can't be written.
        """
        try:
            self._model.history.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._model.history / "lock", os.O_CREAT | os.O_RDWR, 0o644)
        except OSError as error:
            raise CheckpointError(f"{self._model.folder}: can't be written: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def push(self, checkpoint_id: str, content: bytes, companions: Mapping[str, bytes]) -> None:
        """Keep a checkpoint that is about to be replaced, and its companions, as the next rollback target."""
        self.keep(checkpoint_id, content, companions)
        record = self._read()
        previous = (*(kept_id for kept_id in record.previous if kept_id != checkpoint_id), checkpoint_id)
        self._write(replace(record, previous=previous[-KEPT:]))
        for dropped in previous[:-KEPT]:
            for suffix in (_CHECKPOINT, *self._model.companions):
                self._kept_path(dropped, suffix).unlink(missing_ok=True)

    def keep(self, checkpoint_id: str, content: bytes, companions: Mapping[str, bytes]) -> None:
        """Keep a checkpoint and its companions, which `promote` can put in service again."""
        replace_file(self._kept_path(checkpoint_id), content)
        for suffix, companion in companions.items():
            replace_file(self._kept_path(checkpoint_id, suffix), companion)

    def last_before(self, checkpoint_id: str | None) -> tuple[str, bytes, dict[str, bytes]] | None:
        """Return ID, checkpoint and companions of the last kept checkpoint other than the given one, or None."""
        for kept_id in reversed(self._read().previous):
            path = self._kept_path(kept_id)
            if kept_id != checkpoint_id and path.exists():
                companions = {suffix: self._kept_path(kept_id, suffix) for suffix in self._model.companions}
                return kept_id, path.read_bytes(), read_present(companions)
        return None

    def pop(self, checkpoint_id: str) -> None:
        """Remove the checkpoint, and those replaced after it, from the rollback targets; their files stay."""
        record = self._read()
        self._write(replace(record, previous=record.previous[: record.previous.index(checkpoint_id)]))

    def add(self, event: Event) -> Event:
        """Record an event, and return it."""
        record = self._read()
        self._write(replace(record, events=(*record.events, event)))
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
            raise CheckpointError(
                f"{self._file}: expected the history of {self._model}, found something else; restore or delete it"
            ) from error

    def _write(self, record: _Record) -> None:
        replace_file(self._file, (json.dumps(asdict(record), indent=2) + "\n").encode())


def read_present(paths: Mapping[str, Path]) -> dict[str, bytes]:
    """Return the content of the files that exist, by the same keys."""
    return {key: path.read_bytes() for key, path in paths.items() if path.exists()}


def now() -> str:
    """Return the current time, UTC, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
