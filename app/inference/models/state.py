"""Data about models: choices, keys, states, loaded models, results of reloads. Loads nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple

from app.errors import FrameworkUnavailableError
from app.inference.adapters.base import Adapter
from app.inference.batching.batcher import Batcher
from app.inference.session import ModelSession
from training.checkpoints.checkpoint import Checkpoint
from training.checkpoints.model_files import DEFAULT_NAME

RETRY_WHILE_LOADING_S: Final = 2
RETRY_WHEN_BROKEN_S: Final = 60


class ModelChoice(NamedTuple):
    """A request's choice of its model, from which the registry makes a key."""

    framework: str | None = None
    """Canonical name; None for the default."""

    name: str | None = None
    """Name of the model; None for the default."""

    weights: str | None = None
    """The framework whose checkpoint of that name is loaded; None for the framework's own."""

    epoch: int | None = None
    """Epoch of the snapshot that is loaded; None for the checkpoint itself."""


class ModelKey(NamedTuple):
    """A model: the framework that computes it, and the checkpoint that it loads."""

    framework: str
    name: str = DEFAULT_NAME
    weights: str = ""
    """The framework whose checkpoint of that name is loaded; empty for its own."""

    epoch: int | None = None
    """The epoch whose snapshot of that checkpoint's run is loaded; None for the checkpoint itself."""

    @property
    def trained_by(self) -> str:
        """The framework whose checkpoint is loaded."""
        return self.weights or self.framework

    def __str__(self) -> str:
        name = self.framework if self.name == DEFAULT_NAME else f"{self.framework}/{self.name}"
        with_weights = f"{name} with {self.weights}'s weights" if self.weights else name
        return with_weights if self.epoch is None else f"{with_weights} of epoch {self.epoch}"


class Status(StrEnum):
    """Status of a model."""

    AVAILABLE = "available"
    """There is a checkpoint, which is loaded at the first request."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    NOT_INSTALLED = "not_installed"
    UNLOADED = "unloaded"
    """Unloaded by request; it stays so until it is loaded by request."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedModel:
    """A loaded checkpoint that serves requests."""

    key: ModelKey
    adapter: Adapter
    batcher: Batcher
    """Belongs to the framework: all of its models share it."""

    checkpoint: Checkpoint
    load_seconds: float
    """Seconds from the start of loading to being warm."""

    compilations_at_start: int
    """Compilations of the adapter up to the end of its warm-up."""

    @property
    def checkpoint_id(self) -> str | None:
        """ID of the checkpoint."""
        return self.checkpoint.id

    @cached_property
    def provenance(self) -> Mapping[str, str | int | None]:
        """Provenance of this model's responses, under the names of the API."""
        epoch = {} if self.key.epoch is None else {"epoch": self.key.epoch}
        return {
            "framework": self.key.framework,
            "model": self.key.name,
            "weights": self.key.trained_by,
            "framework_version": self.adapter.framework_version,
            "device": self.adapter.device,
            "checkpoint": self.checkpoint_id,
            **epoch,
        }

    def new_session(self) -> ModelSession:
        """Return a session for one request."""
        return ModelSession(self.adapter, self.batcher)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelState:
    """A model's state, as `/frameworks` and `/models` show it."""

    key: ModelKey
    status: Status
    reason: str | None = None
    """Why it isn't ready, and what to do; None if it is ready. Contains no path of the server."""

    model: LoadedModel | None = None
    """Set if it is ready."""

    is_retried: bool = False
    """True if it failed while serving; loading is then retried until it succeeds."""

    @property
    def framework(self) -> str:
        """The framework that computes it."""
        return self.key.framework

    def unavailable_error(self) -> FrameworkUnavailableError:
        """Return the error of a request for it while it isn't ready."""
        soon = self.is_retried or self.status is Status.LOADING
        retry_after_s = RETRY_WHILE_LOADING_S if soon else RETRY_WHEN_BROKEN_S
        return FrameworkUnavailableError(str(self.reason), retry_after_s=retry_after_s)


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """Result of reloading a model's checkpoint."""

    is_served: bool
    """True if the new checkpoint is served; otherwise the previous one still is."""

    message: str
    """One sentence with the result, and the reason of a failure."""
