"""One run in a folder at a time: a lock that the system frees when its process ends, however it ends."""

from pathlib import Path

from filelock import FileLock, Timeout

from training.errors import RunLockedError


class RunLock:
    """The lock of a run's folder."""

    def __init__(self, folder: Path) -> None:
        """Take nothing yet."""
        self._folder = folder
        self._lock = FileLock(folder / ".lock", timeout=0)

    def acquire(self) -> None:
        """Take the lock, or see that this process has it.

        Raises:
            RunLockedError: Another process has it, or the folder allows no lock.
        """
        if self._lock.is_locked:
            return
        try:
            self._lock.acquire()
        except Timeout as error:
            raise RunLockedError(
                f"{self._folder}: another run is writing here: wait for its end, or choose another folder with --out"
            ) from error
        except OSError as error:
            raise RunLockedError(
                f"{self._folder}: can't be locked: {error.strerror}; choose another folder with --out"
            ) from error
