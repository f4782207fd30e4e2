"""Registry of the served models: finds a request's model, reloads and monitors all. Computes nothing."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from app.errors import FrameworkUnavailableError, ModelNotLoadedError
from app.inference.batching.observer import Observer
from app.inference.models.health import repeat_check
from app.inference.models.loader import Load
from app.inference.models.placement import choose_load, require_nothing
from app.inference.models.state import (
    RETRY_WHEN_BROKEN_S,
    LoadedModel,
    ModelChoice,
    ModelKey,
    ModelState,
    ReloadResult,
    Status,
)
from app.inference.models.store import ModelStore
from app.inference.models.worker_board import WorkerBoard, WorkerStatus, summarize
from app.settings import Settings
from training.checkpoints.model_files import list_models
from training.frameworks import require_installed

_WORKERS_CHECK_INTERVAL_S: Final = 0.05


class Registry:
    """The models of the settings' frameworks. Each loads in its own thread; all else is the event loop's thread's."""

    def __init__(
        self,
        settings: Settings,
        *,
        load: Load | None = None,
        require_installed: Callable[[str], None] = require_installed,
        board: WorkerBoard | None = None,
    ) -> None:
        self._settings = settings
        self.board = board or WorkerBoard(settings.frameworks)
        """Status of the frameworks in all workers."""

        load = load or choose_load(settings)
        self._stores = {
            name: ModelStore(
                name, settings, load, require_nothing if name in settings.backend_addresses else require_installed
            )
            for name in settings.frameworks
        }
        self._first_loads: list[asyncio.Task[None]] = []
        self._is_canceled = False
        self._monitoring: asyncio.Task[None] | None = None
        self._on_all_failed: Callable[[], None] = lambda: None

    @property
    def default(self) -> str:
        """The framework used if a request names none."""
        installed = (state.framework for state in self.states if state.status is not Status.NOT_INSTALLED)
        return self._settings.default_framework or next(installed, self._settings.frameworks[0])

    @property
    def default_model(self) -> str:
        """The model used if a request names none."""
        return self._settings.models[0]

    @property
    def states(self) -> tuple[ModelState, ...]:
        """The default model of every framework of the settings, in the settings' order."""
        return tuple(store.start_states[0] for store in self._stores.values())

    @property
    def start_states(self) -> tuple[ModelState, ...]:
        """Every model that is loaded at the start."""
        return tuple(state for store in self._stores.values() for state in store.start_states)

    @property
    def all_states(self) -> tuple[ModelState, ...]:
        """Every model that is or was loaded."""
        return tuple(state for store in self._stores.values() for state in store.states)

    @property
    def all_failed(self) -> bool:
        """True if every model of the start has failed permanently, or its framework isn't installed."""
        return all(
            state.status is Status.NOT_INSTALLED or (state.status is Status.FAILED and not state.is_retried)
            for state in self.start_states
        )

    def get(
        self,
        framework: str | None = None,
        name: str | None = None,
        weights: str | None = None,
        epoch: int | None = None,
    ) -> LoadedModel:
        """Return a model that is loaded; a part that is None is the default's, or the framework's own checkpoint.

        Raises:
            ModelNotLoadedError: It isn't loaded, but may be by `load`.
            NotFoundError: There is no such checkpoint.
            FrameworkUnavailableError: It isn't ready; the message says why.
        """
        key = self.key(framework, name, weights, epoch)
        return self._store(key.framework).get(key)

    def find(self, choice: ModelChoice, labels: dict[str, Any]) -> LoadedModel:
        """Return a request's model as `get` does; label the request with its framework, and its name if it exists."""
        key = self.key(*choice)
        labels["framework"] = key.framework
        model = self._store(key.framework).get(key)
        if choice.name is not None:
            labels["model"] = key.name
        return model

    async def load(self, key: ModelKey) -> LoadedModel:
        """Return a model once it is loaded; errors are those of `get`."""
        return await self._store(key.framework).load(key)

    def key(
        self,
        framework: str | None = None,
        name: str | None = None,
        weights: str | None = None,
        epoch: int | None = None,
    ) -> ModelKey:
        """Return the key of a request's model."""
        framework = framework or self.default
        others = "" if weights == framework else weights or ""
        return ModelKey(framework, name or self._settings.models[0], others, epoch)

    def list_names(self) -> list[tuple[str, str]]:
        """Return framework and name of every checkpoint in the folder, of the settings' frameworks."""
        return [
            (framework, model.name)
            for framework in self._stores
            for model in list_models(self._settings.checkpoints, framework)
        ]

    def count_restarts(self, framework: str) -> int:
        """Return how often a model of the framework has been loaded again after it failed."""
        return self._stores[framework].restarts

    def on_all_failed(self, callback: Callable[[], None]) -> None:
        """Register a callback for the moment when `all_failed` becomes true during the first loads."""
        self._on_all_failed = callback

    def start(self, observer_of: Callable[[str], Observer]) -> None:
        """Start loading and return immediately; requires a running event loop."""
        for name, store in self._stores.items():
            for task in store.start(observer_of(name)):
                task.add_done_callback(self._check_first_load)
                self._first_loads.append(task)
        self._monitoring = asyncio.create_task(repeat_check(self._check_models))

    async def wait_until_loaded(self) -> None:
        """Return once no model is loading for the first time, in any worker, or `cancel_loading` was called."""
        await asyncio.gather(*self._first_loads, return_exceptions=True)
        self._publish_status()
        # Other processes can set no event of this one.
        while self.board.find_others(WorkerStatus.LOADING) and not self._is_canceled:  # noqa: ASYNC110
            await asyncio.sleep(_WORKERS_CHECK_INTERVAL_S)

    def cancel_loading(self) -> None:
        """Stop waiting for the first loads; a model that is still loading is never served."""
        self._is_canceled = True
        for task in self._first_loads:
            task.cancel()

    async def reload(self, framework: str | None = None, name: str | None = None) -> dict[str, ReloadResult]:
        """Reload the checkpoints of one framework, or of all installed ones, and serve those that load.

        Requests in progress finish with the model that they started with. A framework that is named also has its model
        loaded that was unloaded by request: the default one, or that of the name.

        Raises:
            FrameworkUnavailableError: The framework isn't among those of the settings.
        """
        named = None if framework is None else self.key(framework, name)
        if named is not None:
            self._store(named.framework)

        def is_concerned(key: ModelKey) -> bool:
            return framework in {None, key.framework, key.trained_by} and name in {None, key.name}

        for store in self._stores.values():
            await store.finish_loading(is_concerned)
        concerned = [state for state in self.all_states if is_concerned(state.key)]
        for key in (state.key for state in concerned if state.key.epoch is not None):
            self._store(key.framework).forget(key)  # the new checkpoint may have other snapshots
        keys = [
            state.key
            for state in concerned
            if state.key.epoch is None and state.status not in {Status.NOT_INSTALLED, Status.UNLOADED}
        ]
        if named is not None and named not in keys:
            keys.insert(0, named)
        return {str(key): await self._store(key.framework).reload(key) for key in keys}

    async def reload_model(self, key: ModelKey) -> ReloadResult:
        """Load one model's checkpoint, again if it is loaded, and serve it; errors are those of `unload`."""
        store = self._store(key.framework)
        store.require_known(key)
        return await store.reload(key)

    async def unload(self, key: ModelKey) -> None:
        """Stop serving a model until it is loaded by request; requests in progress are still computed.

        Raises:
            FrameworkUnavailableError: The framework isn't among those of the settings.
            NotFoundError: There is no such checkpoint.
        """
        await self._store(key.framework).unload(key)

    async def get_or_load(self, framework: str, name: str | None) -> LoadedModel:
        """Return a model, loaded first if it isn't loaded; errors are those of `get`."""
        try:
            return self.get(framework, name)
        except ModelNotLoadedError:
            return await self.load(self.key(framework, name))

    def close(self) -> None:
        """Stop every batcher, and never serve a model that is still loading."""
        if self._monitoring is not None:
            self._monitoring.cancel()
        for store in self._stores.values():
            store.close()

    def _store(self, framework: str) -> ModelStore:
        store = self._stores.get(framework)
        if store is None:
            raise FrameworkUnavailableError(
                f"{framework} is not among the frameworks that this server is set to load: {', '.join(self._stores)}",
                retry_after_s=RETRY_WHEN_BROKEN_S,
            )
        return store

    def _check_first_load(self, _: asyncio.Task[None]) -> None:
        if self.all_failed:
            self._on_all_failed()

    def _check_models(self) -> None:
        for store in self._stores.values():
            store.monitor()
        self._publish_status()

    def _publish_status(self) -> None:
        for framework, store in self._stores.items():
            self.board.set_status(framework, summarize({state.status for state in store.start_states}))
