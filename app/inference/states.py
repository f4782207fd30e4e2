"""What is known of a framework that the service is set to serve. Loads and decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from app.inference.adapter import Adapter
from app.inference.batcher import Batcher
from app.inference.computation import Computation
from training.checkpoint import Checkpoint


class Status(StrEnum):
    """How far a framework has come."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    NOT_INSTALLED = "not_installed"


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedModel:
    """A checkpoint that is served."""

    adapter: Adapter
    batcher: Batcher
    """Its framework's; it stays while checkpoints come and go, until the framework fails."""

    checkpoint: Checkpoint
    load_seconds: float
    """From the start of loading to being warm."""

    compilations_at_start: int
    """How often the adapter had compiled when it was warm."""

    @property
    def checkpoint_id(self) -> str | None:
        """The first 12 hexadecimal digits of the SHA-256 of the checkpoint's file."""
        return self.checkpoint.sha256[:12] if self.checkpoint.sha256 else None

    @cached_property
    def provenance(self) -> Mapping[str, str | None]:
        """Where an answer of this model comes from, by the contract's names."""
        return {
            "framework": self.adapter.framework,
            "framework_version": self.adapter.framework_version,
            "device": self.adapter.device,
            "checkpoint": self.checkpoint_id,
        }

    def begin(self) -> Computation:
        """Return a computation for one request."""
        return Computation(self.adapter, self.batcher)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkState:
    """A framework as `/frameworks` shows it."""

    framework: str
    status: Status
    reason: str | None = None
    """Why it isn't ready and what to do; None when it is. Names no folder of the server."""

    model: LoadedModel | None = None
    """Set when it is ready."""

    is_retried: bool = False
    """Whether it failed while it was served, and is loaded anew until that works."""


@dataclass(frozen=True, slots=True)
class Reload:
    """What came of loading a framework's checkpoint anew."""

    is_served: bool
    """Whether what was loaded is served now; if not, what was served before still is."""

    message: str
    """One sentence that says so, and why not."""
