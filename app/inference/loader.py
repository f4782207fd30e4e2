"""From a framework's name to its adapter: the only place that knows where adapters are. Imports none before asked."""

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

from app.inference.adapter import Adapter
from app.inference.garbage import set_aside_what_is_loaded
from app.inference.states import FrameworkState, Status
from app.inference.threads import count_threads, prepare_threads
from training.checkpoint import Checkpoint, load_checkpoint
from training.errors import FrameworkNotInstalledError, TrainingError

logger = logging.getLogger(__name__)

T = TypeVar("T")

ADAPTERS: Final = {
    "jax": "app.inference.jax_adapter:JaxAdapter",
    "tensorflow": "app.inference.tensorflow_adapter:TensorflowAdapter",
    "pytorch": "app.inference.pytorch_adapter:PytorchAdapter",
}

# The frameworks share packages whose modules import each other in circles; two threads that enter such a circle from
# two sides can be handed half a module. Compiling and warming up, which take longer, do run side by side.
_importing = threading.Lock()

# Of later loads, garbage collection takes what was replaced.
_set_aside: Final[set[str]] = set()


class Load(Protocol):
    """What makes an adapter from a framework's name; tests give their own."""

    def __call__(self, framework: str, *, checkpoints: Path, device: str) -> tuple[Checkpoint, Adapter]:
        """Load a checkpoint and its adapter; any exception means that the framework can't be served."""
        ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checkpoint, compiled and warm."""

    checkpoint: Checkpoint
    adapter: Adapter
    seconds: float
    """How long that took."""


def checkpoint_path(checkpoints: Path, framework: str) -> Path:
    """Return where the framework's checkpoint lies in the folder of checkpoints."""
    return checkpoints / framework / "model.safetensors"


def load_model(
    framework: str, *, checkpoints: Path, device: str, threads: int | None = None
) -> tuple[Checkpoint, Adapter]:
    """Load a framework's checkpoint and its adapter, compiled and warm; takes seconds.

    Unless a number of threads is given, it may use one on each core.

    Raises:
        CheckpointError: Its checkpoint can't be read.
        DeviceError: The device isn't there.
    """
    checkpoint = load_checkpoint(checkpoint_path(checkpoints, framework))
    module, name = ADAPTERS[framework].split(":")
    threads = threads or count_threads()
    prepare_threads(threads)
    with _importing:
        adapter_type = getattr(importlib.import_module(module), name)
    adapter: Adapter = adapter_type(checkpoint, device=device, threads=threads)
    if framework not in _set_aside:
        _set_aside.add(framework)
        set_aside_what_is_loaded()
    return checkpoint, adapter


async def load_in_thread(load: Load, framework: str, *, checkpoints: Path, device: str) -> Loaded | FrameworkState:
    """Return what was loaded, or the state that says why nothing was."""
    return await _run_in_daemon(
        lambda: _try_to_load(load, framework, checkpoints=checkpoints, device=device), name=f"load-{framework}"
    )


def _try_to_load(load: Load, framework: str, *, checkpoints: Path, device: str) -> Loaded | FrameworkState:
    path = checkpoint_path(checkpoints, framework)
    started = time.perf_counter()
    # A model that was served before holds itself in circles, and is large for how few objects it has.
    gc.collect()
    try:
        checkpoint, adapter = load(framework, checkpoints=checkpoints, device=device)
    except FrameworkNotInstalledError as error:
        logger.warning("%s", error)
        return FrameworkState(framework=framework, status=Status.NOT_INSTALLED, reason=str(error))
    except TrainingError as error:
        logger.error("%s failed to load: %s", framework, error)  # noqa: TRY400 -- it says what to do
        # Clients needn't know where the server keeps its files.
        reason = str(error).replace(str(path), f"{framework}/{path.name}")
    except Exception as error:
        logger.exception("%s failed to load", framework)
        reason = f"{type(error).__name__}; the server's log says more"
    else:
        return Loaded(checkpoint, adapter, time.perf_counter() - started)
    return FrameworkState(framework=framework, status=Status.FAILED, reason=f"{framework} failed to load: {reason}")


async def _run_in_daemon(function: Callable[[], T], *, name: str) -> T:
    """Return what the function returns; one that never does doesn't keep the process from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def deliver(result: T) -> None:
        if not future.done():
            future.set_result(result)

    def work() -> None:
        result = function()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, result)

    threading.Thread(target=work, name=name, daemon=True).start()
    return await future
