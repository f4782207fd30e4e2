"""Lazy imports: a framework is imported, and must be installed, only when it is used."""

import ast
import json
import os
import subprocess
import sys

import pytest

from tests.support.cli import SMALL, write_images
from tests.support.live_service import CHECKOUT
from tests.support.packages import FRAMEWORK_PACKAGES

REPORT = f"import json, sys; print(json.dumps([name for name in {FRAMEWORK_PACKAGES} if name in sys.modules]))"

MODULES = [
    "app",
    "app.settings",
    "app.main",
    "training",
    "training.checkpoints.checkpoint",
    "training.data",
    "training.frameworks",
    "training.engine.run",
    "training.commands.train",
    "training.commands.show",
    "training.comparison.command",
    "training.comparison.page",
    "training.reporting.figures",
    "tests.support.models.event_reader",
]


@pytest.fixture(scope="module")
def imported():
    """The frameworks that a process has imported after each of the modules, one after the other."""
    script = "\n".join(f"import {module}\n{REPORT}" for module in MODULES)
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=120
    )
    assert result.returncode == 0, result.stderr + result.stdout
    return dict(zip(MODULES, map(json.loads, result.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("module", MODULES)
def test_import_imports_no_framework(imported, module):
    """Importing the service or the trainers' shared parts imports no framework."""
    assert imported[module] == []


def test_run_imports_its_own_framework_alone(tmp_path):
    """A run in PyTorch, with its events and figures, loads neither TensorFlow nor JAX."""
    write_images(tmp_path)
    arguments = ["train", "--framework", "pytorch", "--epochs", "1", *SMALL, "--figures"]
    script = f"from training.commands.application import cli\ncli({arguments}, standalone_mode=False)\n{REPORT}"

    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr + result.stdout
    assert json.loads(result.stdout.splitlines()[-1]) == ["torch"]
    assert (tmp_path / "runs/pytorch/figures/samples.png").exists()


def test_no_test_imports_another_test():
    """Tests share helpers through modules that hold no tests, such as those of tests/support."""
    paths = sorted((CHECKOUT / "tests").rglob("*.py"))

    imported = {
        f"{path.relative_to(CHECKOUT)} imports {node.module}"
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and any(part.startswith("test_") for part in (node.module or "").split("."))
    }

    assert len(paths) > 100
    assert imported == set()
