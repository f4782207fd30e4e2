"""A measurement in a process of its own, started and awaited; what it does is in `training.comparison.tasks`."""

import json
import subprocess
import sys
from typing import Any

from training.errors import TrainingError

_TAIL = 1500  # characters of a failed process's errors that are shown


def measure(task: str, framework: str, **options: Any) -> dict[str, Any]:
    """Return what a fresh process found; it is ended with this one.

    Raises:
        TrainingError: It failed; the message ends with what it wrote.
    """
    words = [sys.executable, "-m", "training.comparison.measure", task, framework, json.dumps(options)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise TrainingError(f"{task} of {framework} failed with status {done.returncode}: {done.stderr[-_TAIL:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
