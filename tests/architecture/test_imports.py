"""Lazy imports: a framework is imported, and must be installed, only when it is used."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.live_service import CHECKOUT
from tests.support.packages import FRAMEWORK_PACKAGES

REPORT = f"import json, sys; print(json.dumps([name for name in {FRAMEWORK_PACKAGES} if name in sys.modules]))"


@pytest.mark.parametrize(
    "statement",
    [
        "import app",
        "import app.main",
        "import app.settings",
        "import training",
        "import training.checkpoints.checkpoint",
        "import training.data",
        "import training.frameworks",
        "import training.engine.run",
        "import training.commands.train",
        "import training.commands.show",
        "import training.comparison.command",
        "import training.comparison.page",
        "import training.reporting.figures",
        "import tests.support.models.event_reader",
    ],
)
def test_import_imports_no_framework(statement):
    """Importing the service or the trainers' shared parts imports no framework."""
    root = Path(__file__).parents[2]

    result = subprocess.run(
        [sys.executable, "-c", f"{statement}\n{REPORT}"], cwd=root, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stderr + result.stdout
    assert json.loads(result.stdout.splitlines()[-1]) == []


def test_run_imports_its_own_framework_alone(tmp_path):
    """A run in PyTorch, with its events and figures, loads neither TensorFlow nor JAX."""
    root = Path(__file__).parents[2]
    words = ["train", "--framework", "pytorch", "--epochs", "1", "--batch-size", "5000", "--hidden-dim", "4"]
    script = f"from training.commands.application import cli\ncli({words}, standalone_mode=False)\n{REPORT}"

    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
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
