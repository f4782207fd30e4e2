"""Models of one framework: loads them at the start or on demand, evicts unused ones, retries failed ones."""

import asyncio
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

from app.backoff import LONGEST_BACKEND_BACKOFF_S, LONGEST_BACKOFF_S, Backoff
from app.errors import FrameworkFaultError, FrameworkUnavailableError, ModelNotLoadedError, ServiceError
from app.inference.adapters.base import Adapter
from app.inference.batching.batcher import Batcher
from app.inference.batching.observer import Observer
from app.inference.models.availability import first_state, require_snapshot, state_on_demand
from app.inference.models.background_tasks import BackgroundTasks
from app.inference.models.eviction import evict_unused, has_capacity
from app.inference.models.health import count_compilations, find_faults, find_hang, find_key
from app.inference.models.loader import Load, Loaded, load_in_thread
from app.inference.models.state import RETRY_WHILE_LOADING_S, LoadedModel, ModelKey, ModelState, ReloadResult, Status
from app.settings import Settings

logger = logging.getLogger(__name__)


class ModelStore:
    """The models of one framework."""

    def __init__(
        self, framework: str, settings: Settings, load: Load, require_installed: Callable[[str], None]
    ) -> None:
        self.framework = framework
        self.restarts = 0
        self._settings = settings
        self._load = load
        self._at_start = [ModelKey(framework, name) for name in settings.models]
        self._states = {key: first_state(key, require_installed) for key in self._at_start}
        self._loaded: OrderedDict[ModelKey, LoadedModel] = OrderedDict()  # least recently used first
        self._locks: defaultdict[ModelKey, asyncio.Lock] = defaultdict(asyncio.Lock)
        longest_s = LONGEST_BACKEND_BACKOFF_S if framework in settings.backend_addresses else LONGEST_BACKOFF_S
        self._backoffs: defaultdict[ModelKey, Backoff] = defaultdict(partial(Backoff, longest_s))
        self._tasks = BackgroundTasks(framework)
        self._capacity = asyncio.Lock()
        self._observer: Observer | None = None
        self._batcher: Batcher | None = None

    @property
    def start_states(self) -> list[ModelState]:
        """The models that are loaded at the start, the default first."""
        return [self._states[key] for key in self._at_start]

    @property
    def states(self) -> tuple[ModelState, ...]:
        """All models that are or were loaded."""
        return tuple(self._states.values())

    def get(self, key: ModelKey) -> LoadedModel:
        """Return a loaded model, which becomes the most recently used.

        Raises:
            ModelNotLoadedError: It isn't loaded, but may be by `load`.
            NotFoundError: There is no such checkpoint.
            FrameworkUnavailableError: It isn't ready; the message says why.
        """
        if (model := self._loaded.get(key)) is not None:
            self._loaded.move_to_end(key)
            return model
        state = self._states.get(key) or state_on_demand(key, self.start_states[0], self._settings.checkpoints)
        if state.status is Status.AVAILABLE:
            raise ModelNotLoadedError(str(state.reason), retry_after_s=RETRY_WHILE_LOADING_S)
        raise state.unavailable_error()

    async def load(self, key: ModelKey) -> LoadedModel:
        """Return a model once it is loaded; requests share the loading, which continues if this call is cancelled.

        Raises:
            FrameworkUnavailableError: It fails to load, or all places are pinned; the message says why.
        """
        await self._tasks.share(key, self._load_on_demand)
        return self.get(key)

    def start(self, observer: Observer) -> list[asyncio.Task[None]]:
        """Start to load the models of the start, and return the tasks."""
        self._observer = observer
        if self.start_states[0].status is Status.NOT_INSTALLED:
            logger.warning("%s", self.start_states[0].reason)
            return []
        return [self._tasks.spawn(self._load_first(key)) for key in self._at_start]

    async def reload(self, key: ModelKey) -> ReloadResult:
        """Load a model's checkpoint again, and serve it if it loads; requests in progress finish with the old one."""
        try:
            return await self._tasks.finish(self._tasks.spawn(self._reload(key)))
        except FrameworkUnavailableError as error:
            return ReloadResult(False, str(error))

    async def finish_loading(self, is_concerned: Callable[[ModelKey], bool]) -> None:
        """Wait for the models that requests are loading: their files may have been read before they were changed."""
        await self._tasks.finish_shared(is_concerned)

    async def _reload(self, key: ModelKey) -> ReloadResult:
        await self.finish_loading(key.__eq__)
        if key not in self._loaded and key not in self._at_start:
            try:
                checkpoint_id = (await self.load(key)).checkpoint_id
                return ReloadResult(True, f"checkpoint {checkpoint_id} of {key} is served")
            except ServiceError as error:
                return ReloadResult(False, str(error))
        async with self._locks[key]:
            result = await load_in_thread(self._load, key, self._settings)
            if isinstance(result, Loaded):
                return ReloadResult(True, f"checkpoint {self._install(key, result).checkpoint_id} of {key} is served")
            if (served := self._loaded.get(key)) is None:
                self._states[key] = result
            fallback = "nothing is" if served is None else f"checkpoint {served.checkpoint_id} is still"
            return ReloadResult(False, f"{result.reason}; {fallback} served")

    def require_known(self, key: ModelKey) -> None:
        """Raise a NotFoundError if the model was never loaded, and there is no such checkpoint."""
        if key not in self._states:
            state_on_demand(key, self.start_states[0], self._settings.checkpoints)

    async def unload(self, key: ModelKey) -> None:
        """Stop serving a model until it is loaded by request; requests in progress are still computed.

        Raises:
            NotFoundError: There is no such checkpoint.
        """
        self.require_known(key)
        await self.finish_loading(key.__eq__)
        async with self._locks[key]:
            reason = f"{key} was unloaded by request: load it, or use another"
            self._loaded.pop(key, None)
            self._states[key] = ModelState(key=key, status=Status.UNLOADED, reason=reason)

    def forget(self, key: ModelKey) -> None:
        """Unload a model until its next request; requests in progress are still computed."""
        self._loaded.pop(key, None)
        self._states.pop(key, None)

    def close(self) -> None:
        """Stop the batcher, and never serve a model that is still loading."""
        self._tasks.cancel()
        if self._batcher is not None:
            self._batcher.close(self._tasks.stopping_error())
        for model in self._loaded.values():
            model.adapter.close()

    def monitor(self) -> None:
        """Mark models that hang or whose process ended as failed; report readiness and compilations."""
        if self._observer is None or self.start_states[0].status is Status.NOT_INSTALLED:
            return
        self._observer.set_ready(is_ready=self._at_start[0] in self._loaded)
        if self._batcher is None:
            return
        for fault in find_faults(self._loaded):
            self._mark_failed(*fault)
        if hang := find_hang(self._loaded, self._batcher.longest_batch, self._settings.hang_timeout_s):
            self._mark_failed(*hang)
            self._batcher.restart()
        self._observer.set_compilations(count_compilations(self._loaded))

    async def _load_first(self, key: ModelKey) -> None:
        async with self._locks[key]:
            result = await load_in_thread(self._load, key, self._settings)
            if isinstance(result, Loaded):
                self._install(key, result)
            else:
                self._states[key] = result
                if result.is_retried:
                    self._tasks.spawn(self._retry_load(key))

    async def _load_on_demand(self, key: ModelKey) -> None:
        state_on_demand(key, self.start_states[0], self._settings.checkpoints)  # before another model is evicted
        await asyncio.to_thread(require_snapshot, key, self._settings.checkpoints)
        async with self._capacity, self._locks[key]:
            if key in self._loaded:
                return
            await evict_unused(self._loaded, self._at_start, self._settings.max_models, self._unload_unused)
            result = await load_in_thread(self._load, key, self._settings)
            if not isinstance(result, Loaded):
                # No state is kept: the next request tries again, because the file may be complete by then.
                raise FrameworkUnavailableError(str(result.reason), retry_after_s=RETRY_WHILE_LOADING_S)
            self._install(key, result)

    def _unload_unused(self, key: ModelKey) -> None:
        del self._loaded[key], self._states[key]
        logger.info("%s is unloaded, the least recently used of %d models", key, self._settings.max_models)

    def _install(self, key: ModelKey, loaded: Loaded) -> LoadedModel:
        """Serve a model that has just loaded, in place of an earlier one."""
        adapter = loaded.adapter
        self._batcher_of().add_model(adapter, str(key))
        model = LoadedModel(
            key=key,
            adapter=adapter,
            batcher=self._batcher_of(),
            checkpoint=loaded.checkpoint,
            load_seconds=loaded.seconds,
            compilations_at_start=adapter.count_compilations(),
        )
        logger.info("%s is ready on %s after %.1f s", key, adapter.device, loaded.seconds)
        self._loaded[key] = model
        self._states[key] = ModelState(key=key, status=Status.READY, model=model)
        return model

    def _batcher_of(self) -> Batcher:
        if self._batcher is None:
            assert self._observer is not None, "started"
            is_remote = self.framework in self._settings.backend_addresses
            self._batcher = Batcher(
                self.framework,
                max_rows=self._settings.max_queue_images,
                max_bytes=self._settings.max_queue_bytes,
                observer=self._observer,
                on_fault=self._mark_failed,
                concurrency=self._settings.backend_concurrency if is_remote else 1,
            )
        return self._batcher

    def _mark_failed(self, adapter: Adapter, fault: FrameworkFaultError) -> None:
        """Take one model out of service until it is loaded again; the others go on."""
        self._batcher_of().fail(adapter, fault)
        key = find_key(self._loaded, adapter)
        if key is None:
            return  # replaced or unloaded meanwhile
        logger.error("%s", fault)
        self._loaded.pop(key).adapter.close()
        self._states[key] = ModelState(key=key, status=Status.FAILED, reason=str(fault), is_retried=True)
        self._tasks.spawn(self._retry_load(key))

    async def _retry_load(self, key: ModelKey) -> None:
        """Retry loading a failed model until it loads, its place is taken, or a reload or unload has settled it."""
        assert self._observer is not None, "started"
        place = nullcontext() if key in self._at_start else self._capacity
        while True:
            await asyncio.sleep(self._backoffs[key].next_s())
            async with place, self._locks[key]:
                if key in self._loaded or key not in self._states or self._states[key].status is Status.UNLOADED:
                    return
                most = self._settings.max_models
                if key not in self._at_start and not has_capacity(self._loaded, self._at_start, most):
                    del self._states[key]  # loaded at its next request
                    return
                result = await load_in_thread(self._load, key, self._settings)
                if isinstance(result, Loaded):
                    self._install(key, result)
                    self.restarts += 1
                    self._observer.count_restart()
                    return
                self._states[key] = replace(result, is_retried=True)
