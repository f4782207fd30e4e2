"""Loads a framework's checkpoint into its adapter. Imports no adapter before it is requested."""

import asyncio
import gc
import importlib
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

from app.errors import RetryLaterError
from app.inference.adapters.base import Adapter, AdapterError
from app.inference.adapters.process_adapter import ProcessAdapter
from app.inference.adapters.remote_adapter import RemoteAdapter
from app.inference.models.catalog import load_served
from app.inference.models.state import ModelKey, ModelState, Status
from app.process_tuning import count_threads, freeze_gc, paused_gc, set_thread_environment
from app.settings import Settings
from training.checkpoints.checkpoint import Checkpoint
from training.checkpoints.model_files import ModelFile
from training.errors import FrameworkNotInstalledError, TrainingError
from training.frameworks import FRAMEWORKS
from training.process.environment import pin_environment

logger = logging.getLogger(__name__)

T = TypeVar("T")

# The frameworks share packages with circular imports: two threads that import from both ends of a circle can get a
# half-initialized module. Compilation and warm-up, which take longer, run in parallel.
_importing = threading.Lock()

_LOADING_SHARE: Final = 10
"""Loading imports a framework and compiles, so it may take so many times as long as a batch."""

_SHORTEST_LOADING_S: Final = 120.0
"""Seconds that loading may always take: on a busy machine, importing a framework alone takes half a minute."""

_GRACE_S: Final = 5.0
"""Seconds for an adapter that has noticed the time limit by itself to say so."""

# Frameworks whose objects are frozen already. Models that later loads replace are left to the garbage collector.
_set_aside: Final[set[str]] = set()


class Load(Protocol):
    """Makes an adapter from a framework's name; tests pass their own."""

    def __call__(
        self, framework: str, *, path: Path, device: str, epoch: int | None = None
    ) -> tuple[Checkpoint, Adapter]:
        """Load a checkpoint, or a snapshot of its run, and its adapter; any exception means that it can't be served."""
        ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checkpoint, compiled and warm."""

    checkpoint: Checkpoint
    adapter: Adapter
    seconds: float
    """Seconds from the start of loading to being warm."""


LoadResult = Loaded | ModelState
"""A loaded checkpoint, or the state that says why there is none: failed, or not installed."""


def import_adapter(framework: str) -> Callable[..., Adapter]:
    """Import the framework and return its adapter class."""
    info = FRAMEWORKS[framework]
    if info.trainer is not None:
        importlib.import_module(info.trainer)  # imports a framework without its messages, which an adapter wouldn't
    module, name = info.adapter.split(":")
    adapter_class: Callable[..., Adapter] = getattr(importlib.import_module(module), name)
    return adapter_class


def load_model(
    framework: str, *, path: Path, device: str, epoch: int | None = None, threads: int | None = None
) -> tuple[Checkpoint, Adapter]:
    """Load a framework's checkpoint and its adapter, compiled and warm; takes seconds.

    It uses the given number of threads, or one per core.

    Raises:
        CheckpointError: Its checkpoint can't be read.
        DeviceError: The device isn't available.
    """
    checkpoint = load_served(path, epoch)
    adapter = make_adapter(framework, checkpoint, device=device, threads=threads or count_threads())
    if framework not in _set_aside:
        _set_aside.add(framework)
        freeze_gc()
    return checkpoint, adapter


def make_adapter(framework: str, checkpoint: Checkpoint, *, device: str, threads: int) -> Adapter:
    """Import the framework and return its adapter, compiled and warm; takes seconds.

    Raises:
        DeviceError: The device isn't there.
    """
    set_thread_environment(threads)
    with _importing, paused_gc():
        pin_environment()
        adapter_class = import_adapter(framework)
    return adapter_class(checkpoint, device=device, threads=threads)


def load_isolated(  # noqa: PLR0913 -- an option each
    framework: str,
    *,
    path: Path,
    device: str,
    epoch: int | None = None,
    threads: int | None = None,
    max_bytes: int | None = None,
    load_timeout_s: float | None = None,
) -> tuple[Checkpoint, Adapter]:
    """Load a framework's checkpoint and its adapter in a child process, which is killed beyond `max_bytes` of memory.

    Raises:
        AdapterError: The child ended before it was ready, or wasn't within `load_timeout_s`.
        CheckpointError: Its checkpoint can't be read.
        DeviceError: The device isn't there.
    """
    checkpoint = load_served(path, epoch)
    adapter = ProcessAdapter(
        checkpoint,
        framework=framework,
        device=device,
        threads=threads or count_threads(),
        max_bytes=max_bytes,
        load_timeout_s=load_timeout_s,
    )
    return checkpoint, adapter


def load_remote(  # noqa: PLR0913 -- an option each
    framework: str,
    *,
    path: Path,
    device: str,
    address: str,
    key: str | None,
    timeout_s: float | None,
    concurrency: int,
    epoch: int | None = None,
) -> tuple[Checkpoint, Adapter]:
    """Connect to the backend of a framework's model, whose name the path has; the checkpoint returned has no weights.

    Raises:
        AdapterError: The backend can't be reached, doesn't serve the model, or would have to serve a snapshot.
    """
    if epoch is not None:
        raise AdapterError(f"{framework} is computed by another server, which serves no snapshots: leave epoch out")
    del device  # the backend has its own
    adapter = RemoteAdapter(
        address, framework=framework, name=path.stem, key=key, timeout_s=timeout_s, concurrency=concurrency
    )
    checkpoint = Checkpoint(
        weights={},
        model=adapter.model,
        framework=framework,
        framework_version=adapter.framework_version,
        sha256=adapter.checkpoint_id,
    )
    return checkpoint, adapter


async def load_in_thread(load: Load, key: ModelKey, settings: Settings) -> LoadResult:
    """Load a checkpoint and its adapter in a thread, which is given up if it hangs."""
    model = ModelFile(settings.checkpoints, key.trained_by, key.name)
    device = settings.device_of(key.framework)
    seconds = load_timeout_s(settings)
    try:
        async with asyncio.timeout(None if seconds is None else seconds + _GRACE_S):
            return await _run_in_daemon(lambda: _try_to_load(load, key, model, device=device), name=f"load-{key}")
    except TimeoutError:
        reason = f"{key} failed to load: it took longer than {seconds:g} s"
        logger.error(reason)  # noqa: TRY400 -- the thread's own state is unknown
        return ModelState(key=key, status=Status.FAILED, reason=reason)


def load_timeout_s(settings: Settings) -> float | None:
    """Return the seconds after which loading counts as hanging; None without a limit."""
    if not settings.hang_timeout_s:
        return None
    return max(_LOADING_SHARE * settings.hang_timeout_s, _SHORTEST_LOADING_S)


def _try_to_load(load: Load, key: ModelKey, model: ModelFile, *, device: str) -> LoadResult:
    started = time.perf_counter()
    # A replaced model is held by reference cycles; with few but large objects, it would not be collected for long.
    gc.collect()
    try:
        checkpoint, adapter = load(key.framework, path=model.path, device=device, epoch=key.epoch)
    except FrameworkNotInstalledError as error:
        logger.warning("%s", error)
        return ModelState(key=key, status=Status.NOT_INSTALLED, reason=str(error))
    except TrainingError as error:
        logger.error("%s failed to load: %s", key, error)  # noqa: TRY400 -- it says what to do
        # Clients must not learn the paths of the server's files.
        reason = str(error).replace(str(model.path), f"{model.framework}/{model.path.name}")
    except (AdapterError, RetryLaterError) as error:
        # A child process or another server may be there the next time; one that starts at the same time mostly is.
        logger.warning("%s failed to load, and is tried again: %s", key, error)
        return ModelState(key=key, status=Status.FAILED, reason=f"{key} failed to load: {error}", is_retried=True)
    except Exception as error:
        logger.exception("%s failed to load", key)
        reason = f"{type(error).__name__}; see the server's log"
    else:
        return Loaded(checkpoint, adapter, time.perf_counter() - started)
    return ModelState(key=key, status=Status.FAILED, reason=f"{key} failed to load: {reason}")


async def _run_in_daemon(function: Callable[[], T], *, name: str) -> T:
    """Run the function in a daemon thread, so that one that hangs can't keep the process alive; return its result."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def deliver(result: T) -> None:
        if not future.done():
            future.set_result(result)

    def work() -> None:
        result = function()
        with suppress(RuntimeError):  # the loop is closed: nobody waits for the result
            loop.call_soon_threadsafe(deliver, result)

    threading.Thread(target=work, name=name, daemon=True).start()
    return await future
