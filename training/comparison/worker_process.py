"""Runs a measurement in its own process and waits for it; see `TASKS` of `training.comparison.worker`."""

import json
import subprocess
import sys
from typing import Any

from training.errors import TrainingError

_TAIL = 1500  # characters of a failed process's stderr in the message


def measure(task: str, framework: str, **options: Any) -> dict[str, Any]:
    """Run a task in a fresh process, pass on its stderr, and return its result.

    The process is killed if this one exits.

    Raises:
        TrainingError: It failed; the message ends with its stderr.
    """
    command = [sys.executable, "-m", "training.comparison.worker", task, framework, json.dumps(options)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # noqa: S603 -- Python itself
    sys.stderr.write(done.stderr)  # a warning there may explain a timing
    if done.returncode:
        raise TrainingError(f"{task} of {framework} failed with status {done.returncode}: {done.stderr[-_TAIL:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
