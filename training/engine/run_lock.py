"""A lock that allows one run per folder; the operating system releases it when the process exits."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from training.errors import RunLockedError


class RunLock:
    """Lock of a run's folder."""

    def __init__(self, folder: Path) -> None:
        """Create an unlocked lock."""
        self._folder = folder
        self._lock = FileLock(folder / ".lock", timeout=0)

    def acquire_existing(self) -> None:
        """Acquire the lock if there is such a folder; errors are those of `acquire`."""
        with self._locking():
            exists = self._folder.is_dir()
        if exists:
            self.acquire()

    def acquire(self) -> None:
        """Acquire the lock, unless this process already holds it.

        Raises:
            RunLockedError: Another process holds it, or the folder doesn't support locks.
        """
        if self._lock.is_locked:
            return
        with self._locking():
            self._lock.acquire()

    @contextmanager
    def _locking(self) -> Iterator[None]:
        try:
            yield
        except Timeout as error:
            raise RunLockedError(
                f"{self._folder}: another run is writing here: wait for its end, or choose another folder with --out"
            ) from error
        except OSError as error:
            raise RunLockedError(
                f"{self._folder}: can't be locked: {error.strerror}; choose another folder with --out"
            ) from error
