"""Where and with what a figure was measured, for the line below each table."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from benchmarks.serving.processes import ROOT
from training.machine import describe_machine

PACKAGES: Final = (
    "uvicorn", "uvloop", "httptools", "fastapi", "starlette", "numpy", "orjson", "jax", "tensorflow", "torch"
)  # fmt: skip


def describe_conditions() -> dict[str, Any]:
    """Return machine, versions and commit."""
    return {
        "machine": describe_machine(),
        "versions": {"Python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "commit": _git("rev-parse", "--short", "HEAD") + ("+changes" if _git("status", "--porcelain", "app") else ""),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        # TensorFlow's CPU build is a package of another name.
        return version("tensorflow-cpu") if package == "tensorflow" else "absent"


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603, S607 -- git
    return done.stdout.strip()
