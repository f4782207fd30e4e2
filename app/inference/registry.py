"""Which frameworks are served: loads them, takes out those that fail, and loads these anew. Computes nothing."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Final

from app.backoff import Backoff
from app.exceptions import FrameworkFaultError, FrameworkUnavailableError
from app.inference.batcher import Batcher, Observer
from app.inference.loader import Load, Loaded, load_in_thread, load_model
from app.inference.states import FrameworkState, LoadedModel, Reload, Status
from app.inference.threads import count_threads
from app.settings import Settings
from training.errors import FrameworkNotInstalledError
from training.frameworks import require_installed

logger = logging.getLogger(__name__)

RETRY_WHILE_LOADING_S: Final = 2
RETRY_WHEN_BROKEN_S: Final = 60

_WATCH_EVERY_S: Final = 0.25


class Registry:
    """The frameworks of the settings, each loaded in a thread of its own; all else is the event loop's thread's."""

    def __init__(
        self,
        settings: Settings,
        *,
        load: Load | None = None,
        require_installed: Callable[[str], None] = require_installed,
    ) -> None:
        self._settings = settings
        self._load = load or partial(load_model, threads=count_threads(settings.workers))
        self._states = {name: _first_state(name, require_installed) for name in settings.frameworks}
        self._locks = {name: asyncio.Lock() for name in settings.frameworks}
        self._backoffs = {name: Backoff() for name in settings.frameworks}
        self._observers: dict[str, Observer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._first_loads: list[asyncio.Task[None]] = []
        self._when_nothing_is_left: Callable[[], None] = lambda: None

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
        """Whether no framework is ready and none can become so by itself."""
        return all(
            state.status is Status.NOT_INSTALLED or (state.status is Status.FAILED and not state.is_retried)
            for state in self.states
        )

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
            raise self._not_served(name)
        soon = state.is_retried or state.status is Status.LOADING
        raise FrameworkUnavailableError(
            str(state.reason), retry_after_s=RETRY_WHILE_LOADING_S if soon else RETRY_WHEN_BROKEN_S
        )

    def call_when_nothing_is_left(self, callback: Callable[[], None]) -> None:
        """Have the callback called once no framework is ready and none can become so by itself."""
        self._when_nothing_is_left = callback

    def start(self, observer_of: Callable[[str], Observer]) -> None:
        """Begin to load, and return at once; needs a running event loop."""
        self._observers = {name: observer_of(name) for name in self._states}
        for state in self.states:
            if state.status is Status.LOADING:
                self._first_loads.append(self._spawn(self._load_first(state.framework)))
            else:
                logger.warning("%s", state.reason)
        self._spawn(self._watch())

    async def wait_until_loaded(self) -> None:
        """Return once no framework is loading for the first time."""
        await asyncio.gather(*self._first_loads)

    async def reload(self, framework: str | None = None) -> dict[str, Reload]:
        """Load the framework's checkpoint anew, or all that are installed, and serve it if that works.

        Requests that have begun are answered by the model that they began with.

        Raises:
            FrameworkUnavailableError: The framework isn't among those that are served.
        """
        if framework is not None and framework not in self._states:
            raise self._not_served(framework)
        installed = [name for name, state in self._states.items() if state.status is not Status.NOT_INSTALLED]
        names = [framework] if framework else installed
        return {name: await self._reload(name) for name in names}

    def close(self) -> None:
        """Stop every batcher; a framework that is still loading is never served."""
        for task in self._tasks:
            task.cancel()
        for name, state in self._states.items():
            if state.model is not None:
                stopping = f"{name} is no longer served: the server is stopping; send the request again later"
                state.model.batcher.close(FrameworkUnavailableError(stopping, retry_after_s=RETRY_WHILE_LOADING_S))

    def _not_served(self, name: str) -> FrameworkUnavailableError:
        return FrameworkUnavailableError(
            f"{name} is not among the frameworks that this server is set to load: {', '.join(self._states)}",
            retry_after_s=RETRY_WHEN_BROKEN_S,
        )

    async def _load_first(self, framework: str) -> None:
        async with self._locks[framework]:
            self._put(framework, await self._load_anew(framework))
        if self.nothing_is_left:
            self._when_nothing_is_left()

    async def _reload(self, framework: str) -> Reload:
        async with self._locks[framework]:
            outcome = await self._load_anew(framework)
            if isinstance(outcome, Loaded) or self._states[framework].model is None:
                self._put(framework, outcome)
            model = self._states[framework].model
            if isinstance(outcome, Loaded) and model is not None:
                return Reload(True, f"checkpoint {model.checkpoint_id} of {framework} is served")
            kept = "nothing is" if model is None else f"checkpoint {model.checkpoint_id} is still"
            return Reload(False, f"{outcome.reason if isinstance(outcome, FrameworkState) else ''}; {kept} served")

    async def _load_anew(self, framework: str) -> Loaded | FrameworkState:
        settings = self._settings
        return await load_in_thread(self._load, framework, checkpoints=settings.checkpoints, device=settings.device)

    def _put(self, framework: str, outcome: Loaded | FrameworkState) -> None:
        if isinstance(outcome, FrameworkState):
            self._states[framework] = outcome
            return
        old = self._states[framework].model
        adapter = outcome.adapter
        model = LoadedModel(
            adapter=adapter,
            batcher=old.batcher if old else self._make_batcher(framework),
            checkpoint=outcome.checkpoint,
            load_seconds=outcome.seconds,
            compilations_at_start=adapter.count_compilations(),
        )
        logger.info("%s is ready on %s after %.1f s", framework, adapter.device, outcome.seconds)
        self._states[framework] = FrameworkState(framework=framework, status=Status.READY, model=model)

    def _make_batcher(self, framework: str) -> Batcher:
        return Batcher(
            framework,
            max_rows=self._settings.max_queue_images,
            max_bytes=self._settings.max_queue_bytes,
            observer=self._observers[framework],
            on_fault=partial(self._take_out, framework),
        )

    def _take_out(self, framework: str, fault: FrameworkFaultError) -> None:
        model = self._states[framework].model
        if model is None:
            return
        logger.error("%s", fault)
        self._states[framework] = FrameworkState(
            framework=framework, status=Status.FAILED, reason=str(fault), is_retried=True
        )
        model.batcher.close(fault)
        self._spawn(self._bring_back(framework))

    async def _bring_back(self, framework: str) -> None:
        """Load a framework that has failed, again and again, until that works or somebody else has done it."""
        while True:
            await asyncio.sleep(self._backoffs[framework].next_s())
            async with self._locks[framework]:
                if self._states[framework].model is not None:
                    return
                outcome = await self._load_anew(framework)
                if isinstance(outcome, Loaded):
                    self._put(framework, outcome)
                    return
                self._states[framework] = replace(outcome, is_retried=True)

    async def _watch(self) -> None:
        """Take out what hangs, and count what was compiled after the warm-up."""
        limit_s = self._settings.hang_timeout_s
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            for name, state in self._states.items():
                if (model := state.model) is None:
                    continue
                if limit_s and model.batcher.busy_s > limit_s:
                    fault = f"a batch has taken over {limit_s} s"
                    self._take_out(name, FrameworkFaultError(name, fault))
                compilations = model.adapter.count_compilations() - model.compilations_at_start
                self._observers[name].set_compilations(compilations)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _first_state(framework: str, require_installed: Callable[[str], None]) -> FrameworkState:
    try:
        require_installed(framework)
    except FrameworkNotInstalledError as error:
        return FrameworkState(framework=framework, status=Status.NOT_INSTALLED, reason=str(error))
    reason = f"{framework} is loading; ask again in a few seconds"
    return FrameworkState(framework=framework, status=Status.LOADING, reason=reason)
