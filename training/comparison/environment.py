"""Origin of the comparison's results: machine, versions, commit, command, and the code of the trainers."""

import hashlib
import shlex
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from training import machine
from training.comparison.code_size.code_metrics import code_tokens
from training.frameworks import FRAMEWORKS, trainable_frameworks

CODE: Final = Path(__file__).parents[1]


def describe_origin() -> dict[str, Any]:
    """Return machine, versions, commit, current time, load average, command and trainers' digests, as JSON values."""
    command = shlex.join(["python", "-m", "training", *sys.argv[1:]])
    origin = machine.describe_origin(machine.installed_versions(), code=CODE)
    return {**origin, "command": command, "trainers": trainer_digests()}


@cache
def trainer_digests() -> dict[str, str]:
    """Return a digest of the code of each framework's folder, which comments and docstrings don't change."""
    return {framework: _digest(CODE / f"{framework}_vae") for framework in trainable_frameworks()}


def find_origins(section: Mapping[str, Any]) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    """Yield the origins of a section's results, each with its framework, or None if it is of the whole section."""
    if "measured" in section:
        yield None, section["measured"]
    frameworks = section.get("frameworks")
    for framework, result in frameworks.items() if isinstance(frameworks, dict) else ():
        for entry in (result, *result.get("seeds", {}).values()):
            if "measured" in entry:
                yield framework, entry["measured"]


def stale_frameworks(section: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the frameworks whose trainer's code has changed since a section was measured, or may have changed."""
    now = trainer_digests()
    stale = {
        name
        for framework, origin in find_origins(section)
        for name in (section["frameworks"] if framework is None else (framework,))
        if origin.get("trainers", {}).get(name) != now.get(name)
    }
    return tuple(name for name in FRAMEWORKS if name in stale)


def _digest(folder: Path) -> str:
    hasher = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        hasher.update("\0".join([path.name, *code_tokens(path.read_text(encoding="utf-8"))]).encode())
    return hasher.hexdigest()[:16]
