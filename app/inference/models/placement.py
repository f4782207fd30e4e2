"""Places each framework: in this process, in a child process, or on a backend. Loads nothing itself."""

from functools import partial
from pathlib import Path

from app.inference.adapters.base import Adapter
from app.inference.models.loader import Load, load_isolated, load_model, load_remote, load_timeout_s
from app.process_tuning import count_threads
from app.settings import Settings
from training.checkpoints.checkpoint import Checkpoint


def choose_load(settings: Settings, *, threads: int | None = None) -> Load:
    """Return the function that loads a framework where the settings want it to compute.

    A framework in this process or in a child uses that many threads, or its share of the cores.
    """
    threads = threads or count_threads(settings.workers)
    here: Load = partial(load_model, threads=threads)
    if settings.isolate:
        here = partial(
            load_isolated,
            threads=threads,
            max_bytes=settings.max_isolated_bytes,
            load_timeout_s=load_timeout_s(settings),
        )
    timeout_s = settings.hang_timeout_s or None
    key = settings.backend_key.get_secret_value() if settings.backend_key else None
    there: dict[str, Load] = {
        framework: partial(
            load_remote, address=address, key=key, timeout_s=timeout_s, concurrency=settings.backend_concurrency
        )
        for framework, address in settings.backend_addresses.items()
    }

    def load(framework: str, *, path: Path, device: str, epoch: int | None = None) -> tuple[Checkpoint, Adapter]:
        return there.get(framework, here)(framework, path=path, device=device, epoch=epoch)

    return load


def require_nothing(_framework: str) -> None:
    """Require nothing to be installed here: the framework computes on a backend."""
