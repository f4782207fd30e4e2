"""What a framework takes on the disk: its packages, and all that they need, as pip recorded them."""

from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def package_bytes(framework: str) -> dict[str, int]:
    """Return the bytes of each package that this project's extra of a framework names, and of all that these need."""
    needed: set[str] = set()
    waiting = {canonicalize_name(name) for name in _required("triptych", framework)}
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting |= {canonicalize_name(other) for other in _required(name, "")} - needed
    return {name: _bytes(name) for name in sorted(needed)}


def _required(name: str, extra: str) -> Iterator[str]:
    found = _find(name)
    for line in (found.requires or []) if found else []:
        requirement = Requirement(line)
        # Only what the extra asks for; without one, what is asked for in any case.
        if requirement.marker is None:
            wanted = not extra
        else:
            wanted = requirement.marker.evaluate({"extra": extra}) and (
                not extra or not requirement.marker.evaluate({"extra": ""})
            )
        if wanted:
            yield requirement.name


def _bytes(name: str) -> int:
    found = _find(name)
    paths = [Path(str(file.locate())) for file in (found.files or [])] if found else []
    return sum(path.stat().st_size for path in paths if path.exists())


def _find(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:  # for another system, or left out on purpose
        return None
