"""Environments of foreign tools for tests/interop: a venv or node_modules for each, kept in a cache."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.live_service import CHECKOUT

CACHE = CHECKOUT / ".cache" / "interop"
"""Ignored by git and removed by `make clean`. A folder's name ends with the hash of what is installed in it."""


def python_tools(name: str, *requirements: str) -> Path:
    """Return the `bin` folder of a venv with these requirements; skip the test if they can't be installed."""

    def install(folder: Path) -> list[Sequence[str | Path]]:
        pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        return [[sys.executable, "-m", "venv", folder], [*pip, *requirements]]

    return _cached(name, requirements, install) / "bin"


def node_tools(name: str, *packages: str) -> Path:
    """Return a folder whose `node_modules` has these npm packages; skip the test if they can't be installed."""
    npm = find_program("npm")

    def install(folder: Path) -> list[Sequence[str | Path]]:
        return [[npm, "install", "--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error", *packages]]

    return _cached(name, packages, install)


def find_program(name: str) -> str:
    """Return the path of a program of the system; skip the test if it isn't installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} isn't installed")
    return path


def run_tool(command: Sequence[str | Path], *, cwd: Path | None = None, **variables: str) -> str:
    """Run a command that must succeed within two minutes, and return its output and error lines."""
    done = subprocess.run(
        command, cwd=cwd, env=_environment(variables), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _cached(name: str, packages: Sequence[str], install: Callable[[Path], list[Sequence[str | Path]]]) -> Path:
    key = hashlib.sha256("\n".join([sys.version, *packages]).encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{key}"
    complete = folder / ".complete"
    if complete.exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for command in install(folder):
        done = subprocess.run(command, env=_environment({}), capture_output=True, text=True, check=False, timeout=500)
        if done.returncode != 0:
            pytest.skip(f"{name} can't be installed here: {(done.stderr or done.stdout).strip()[-300:]}")
    complete.touch()
    return folder


def _environment(variables: dict[str, str]) -> dict[str, str]:
    # The tools must not import this project, nor packages of its environment.
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return {**inherited, **variables}
