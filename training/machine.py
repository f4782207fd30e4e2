"""Describes this machine and its installed packages, as the origin of measurements."""

import os
import platform
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from training.counts import count_of
from training.frameworks import FRAMEWORKS
from training.process.environment import THREAD_VARIABLES

_CGROUP_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),  # version 1
)

_DEVICES: Final = Path("/dev")


def describe_origin(versions: Mapping[str, str], *, code: Path) -> dict[str, Any]:
    """Return machine, versions, commit of a folder of code, current time and load average, as JSON values."""
    return {
        "machine": describe_machine(),
        "versions": dict(versions),
        "commit": _commit(code),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_average": round(os.getloadavg()[0], 2),
    }


def describe_machine() -> str:
    """Return available cores, processor, NVIDIA GPUs if there are any, and operating system, as one phrase."""
    return ", ".join([f"{count_of(count_cores(), 'core')} of {_processor()}", *_gpus(), platform.system()])


def count_cores() -> int:
    """Return the number of cores available to this process."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def physical_memory() -> int:
    """Return the bytes of memory that this process may use: this machine's, or fewer in a container with a limit."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _CGROUP_LIMITS:
        with suppress(OSError, ValueError):  # no such file, or the word max
            limits.append(int(path.read_text(encoding="ascii")))
    return min(limits)


def may_have_gpu() -> bool:
    """Return False if NVIDIA's driver offers no device, so that no framework can find a GPU."""
    return any(path for pattern in ("nvidia*", "nvhost*", "nvgpu*", "dxg") for path in _DEVICES.glob(pattern))


def describe_environment(framework: str) -> dict[str, Any]:
    """Return cores, threads, processor and versions: the same values give the same digits on a CPU."""
    return {
        "cores": count_cores(),
        **{name: os.environ.get(name) for name in THREAD_VARIABLES},
        "processor": _processor(),
        "python": platform.python_version(),
        **package_versions(["numpy", *FRAMEWORKS[framework].packages]),
    }


def installed_versions() -> dict[str, str]:
    """Return the version of Python and of each installed package that affects results, by name."""
    frameworks = [package for info in FRAMEWORKS.values() for package in info.packages]
    return {"python": platform.python_version()} | package_versions(["triptych", "numpy", *frameworks])


def package_versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the version of each package that is installed, by name."""
    return dict(_versions(packages))


def _versions(packages: Iterable[str]) -> Iterator[tuple[str, str]]:
    for package in packages:
        try:
            yield package, version(package)
        except PackageNotFoundError:
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


def _commit(code: Path) -> str | None:
    """Return the commit of the code, marked if there are uncommitted changes; None outside a git checkout."""
    git = shutil.which("git")
    if git is None:
        return None
    head = _output(git, "-C", str(code), "rev-parse", "HEAD")
    changed = _output(git, "-C", str(code), "status", "--porcelain", "--", str(code))
    return f"{head} (changed)" if head and changed else head


def _output(*command: str) -> str | None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- git itself
    return done.stdout.strip() if done.returncode == 0 else None
