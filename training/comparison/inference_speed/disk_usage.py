"""Disk usage of a framework: its packages and their dependencies, from pip's records."""

from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def package_bytes(framework: str) -> dict[str, int]:
    """Return the size in bytes of each package of a framework's extra, and of all dependencies."""
    needed: set[str] = set()
    waiting = {canonicalize_name(name) for name in _required("triptych", framework)}
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting |= {canonicalize_name(other) for other in _required(name, "")} - needed
    return {name: _bytes(name) for name in sorted(needed)}


def _required(name: str, extra: str) -> Iterator[str]:
    package = _find(name)
    for line in (package.requires or []) if package else []:
        requirement = Requirement(line)
        # Only requirements of the extra; for dependencies without one, the unconditional requirements.
        if requirement.marker is None:
            wanted = not extra
        else:
            wanted = requirement.marker.evaluate({"extra": extra}) and (
                not extra or not requirement.marker.evaluate({"extra": ""})
            )
        if wanted:
            yield requirement.name


def _bytes(name: str) -> int:
    package = _find(name)
    paths = [Path(str(file.locate())) for file in (package.files or [])] if package else []
    return sum(path.stat().st_size for path in paths if path.exists())


def _find(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:  # for another system, or deliberately not installed
        return None
