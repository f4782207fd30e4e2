"""Which frameworks are served, and how far each has come. It loads them, and computes nothing."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from app.exceptions import FrameworkUnavailableError
from app.inference.adapter import Adapter
from app.inference.loader import checkpoint_path, load_model
from app.inference.worker import Worker
from app.settings import Settings
from training.checkpoint import Checkpoint
from training.errors import FrameworkNotInstalledError, TrainingError
from training.frameworks import require_installed

logger = logging.getLogger(__name__)

RETRY_WHILE_LOADING_S = 2
RETRY_WHEN_BROKEN_S = 60


class Load(Protocol):
    """What makes an adapter from a framework's name; tests give their own."""

    def __call__(self, framework: str, *, checkpoints: Path, device: str) -> tuple[Checkpoint, Adapter]:
        """Load a checkpoint and its adapter; any exception means that the framework can't be served."""
        ...


class Status(StrEnum):
    """How far a framework has come."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    NOT_INSTALLED = "not_installed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model that answers requests."""

    adapter: Adapter
    worker: Worker
    checkpoint: Checkpoint
    load_seconds: float
    """From the start of loading to being warm."""

    @property
    def checkpoint_id(self) -> str | None:
        """The first 12 hexadecimal digits of the SHA-256 of the checkpoint's file."""
        return self.checkpoint.sha256[:12] if self.checkpoint.sha256 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkState:
    """A framework as `/frameworks` shows it."""

    framework: str
    status: Status
    reason: str | None = None
    """Why it isn't ready and what to do; None when it is. Names no folder of the server."""

    model: LoadedModel | None = None
    """Set when it is ready."""


class Registry:
    """The frameworks of the settings, each loaded in a thread of its own."""

    def __init__(
        self,
        settings: Settings,
        *,
        load: Load = load_model,
        require_installed: Callable[[str], None] = require_installed,
    ) -> None:
        self._settings = settings
        self._load = load
        self._lock = threading.Lock()
        self._closed = False
        self._when_nothing_is_left: Callable[[], None] = lambda: None
        self._states = {name: _first_state(name, require_installed) for name in settings.frameworks}

    @property
    def default(self) -> str:
        """The framework that answers where a request names none."""
        installed = (name for name, state in self._states.items() if state.status is not Status.NOT_INSTALLED)
        return self._settings.default_framework or next(installed, self._settings.frameworks[0])

    @property
    def states(self) -> tuple[FrameworkState, ...]:
        """Every framework of the settings, in their order."""
        return tuple(self._states.values())

    @property
    def nothing_is_left(self) -> bool:
        """Whether no framework is ready and none can become so."""
        return all(state.status in (Status.FAILED, Status.NOT_INSTALLED) for state in self.states)

    def get(self, framework: str | None = None) -> LoadedModel:
        """Return the framework's model, or the default's.

        Raises:
            FrameworkUnavailableError: It isn't ready; the message says why.
        """
        name = framework or self.default
        state = self._states.get(name)
        if state is not None and state.model is not None:
            return state.model
        if state is None:
            served = ", ".join(self._states)
            raise FrameworkUnavailableError(
                f"{name} is not among the frameworks that this server is set to load: {served}",
                retry_after_s=RETRY_WHEN_BROKEN_S,
            )
        loading = state.status is Status.LOADING
        raise FrameworkUnavailableError(
            str(state.reason), retry_after_s=RETRY_WHILE_LOADING_S if loading else RETRY_WHEN_BROKEN_S
        )

    def call_when_nothing_is_left(self, callback: Callable[[], None]) -> None:
        """Have the callback called, from any thread, once no framework is ready and none can become so."""
        self._when_nothing_is_left = callback

    def start(self) -> None:
        """Begin to load, and return at once."""
        for state in self.states:
            if state.status is Status.LOADING:
                threading.Thread(
                    target=self._load_framework, args=(state.framework,), name=f"load-{state.framework}", daemon=True
                ).start()
            else:
                logger.warning("%s", state.reason)

    def close(self) -> None:
        """Stop every worker; a framework that is still loading is never served."""
        with self._lock:
            self._closed = True
            for state in self.states:
                if state.model is not None:
                    state.model.worker.close()

    def _load_framework(self, framework: str) -> None:
        state = self._try_to_load(framework)
        with self._lock:
            if self._closed and state.model is not None:
                state.model.worker.close()
            self._states[framework] = state
            nothing_is_left = self.nothing_is_left
        if nothing_is_left:
            self._when_nothing_is_left()

    def _try_to_load(self, framework: str) -> FrameworkState:
        path = checkpoint_path(self._settings.checkpoints, framework)
        started = time.perf_counter()
        try:
            checkpoint, adapter = self._load(
                framework, checkpoints=self._settings.checkpoints, device=self._settings.device
            )
        except FrameworkNotInstalledError as error:
            logger.warning("%s", error)
            return FrameworkState(framework=framework, status=Status.NOT_INSTALLED, reason=str(error))
        except TrainingError as error:
            logger.error("%s failed to load: %s", framework, error)  # noqa: TRY400 -- it says what to do
            # Clients needn't know where the server keeps its files.
            reason = str(error).replace(str(path), f"{framework}/{path.name}")
            return FrameworkState(
                framework=framework, status=Status.FAILED, reason=f"{framework} failed to load: {reason}"
            )
        except Exception as error:
            logger.exception("%s failed to load", framework)
            reason = f"{framework} failed to load ({type(error).__name__}); the server's log says more"
            return FrameworkState(framework=framework, status=Status.FAILED, reason=reason)
        seconds = time.perf_counter() - started
        logger.info("%s is ready on %s after %.1f s", framework, adapter.device, seconds)
        model = LoadedModel(adapter=adapter, worker=Worker(framework), checkpoint=checkpoint, load_seconds=seconds)
        return FrameworkState(framework=framework, status=Status.READY, model=model)


def _first_state(framework: str, require_installed: Callable[[str], None]) -> FrameworkState:
    try:
        require_installed(framework)
    except FrameworkNotInstalledError as error:
        return FrameworkState(framework=framework, status=Status.NOT_INSTALLED, reason=str(error))
    reason = f"{framework} is loading; ask again in a few seconds"
    return FrameworkState(framework=framework, status=Status.LOADING, reason=reason)
