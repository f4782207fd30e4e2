"""Machine, versions and commit of a measurement, for the line below each table."""

import platform
from typing import Any, Final

from benchmarks.serving.processes import ROOT
from training.frameworks import FRAMEWORKS
from training.machine import describe_origin, package_versions

PACKAGES: Final = ("uvicorn", "uvloop", "httptools", "fastapi", "starlette", "numpy", "orjson")


def describe_conditions() -> dict[str, Any]:
    """Return machine, versions, commit, current time and load average, as JSON values."""
    frameworks = [package for info in FRAMEWORKS.values() for package in info.packages]
    versions = {"python": platform.python_version()} | package_versions([*PACKAGES, *frameworks])
    return describe_origin(versions, code=ROOT / "app")
