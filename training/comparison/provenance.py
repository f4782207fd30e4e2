"""Where and of what a figure of a comparison was measured: machine, versions, commit, time, load."""

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from training.machine import describe_machine, installed_versions


def describe_origin() -> dict[str, Any]:
    """Return machine, versions, commit, time and load average of now, as JSON values."""
    return {
        "machine": describe_machine(),
        "versions": installed_versions(),
        "commit": _commit(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_average": round(os.getloadavg()[0], 2),
    }


def _commit() -> str | None:
    """Return the commit of the code, with a word where the code was changed since; None where it isn't under git."""
    git = shutil.which("git")
    if git is None:
        return None
    package = Path(__file__).parents[1]
    head = _output(git, "-C", str(package), "rev-parse", "HEAD")
    changed = _output(git, "-C", str(package), "status", "--porcelain", "--", str(package))
    return f"{head} (changed)" if head and changed else head


def _output(*words: str) -> str | None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - git itself
    return done.stdout.strip() if done.returncode == 0 else None
