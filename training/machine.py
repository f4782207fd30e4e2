"""The machine that a figure was measured on, and what is installed there."""

import os
import platform
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_PACKAGES: Final = (
    "triptych",
    "numpy",
    *("jax", "jaxlib", "flax", "optax"),
    *("tensorflow", "tensorflow-cpu", "keras"),
    "torch",
)


def describe_machine() -> str:
    """Return cores that this process may use, processor, NVIDIA's GPUs if there are any, and operating system."""
    return ", ".join([f"{count_cores()} cores of {_processor()}", *_gpus(), platform.system()])


def count_cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def installed_versions() -> dict[str, str]:
    """Return the version of Python, and of each package that decides figures and is installed, by name."""
    return {"python": platform.python_version()} | dict(_versions())


def _versions() -> Iterator[tuple[str, str]]:
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:  # another framework's
            continue


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _gpus() -> list[str]:
    # The driver's own tool: a framework would take seconds to load.
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=name", "--format=csv,noheader"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)  # noqa: S603 -- NVIDIA's
    if done.returncode != 0:  # no driver is loaded
        return []
    names = Counter(line.strip() for line in done.stdout.splitlines())
    return [name if count == 1 else f"{count} x {name}" for name, count in names.items()]
