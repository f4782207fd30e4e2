"""Lazy imports: nobody pays for a framework, or needs it installed, before asking for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FRAMEWORK_PACKAGES = ("jax", "flax", "optax", "tensorflow", "keras", "torch", "tensorflow_datasets")

REPORT = f"import json, sys; print(json.dumps([name for name in {FRAMEWORK_PACKAGES} if name in sys.modules]))"

COLLECT = "import pytest; assert pytest.main(['--collect-only', '-q', '-p', 'no:cacheprovider', 'tests']) == 0"


@pytest.mark.parametrize(
    "statement",
    [
        "import app",
        "import app.main",
        "import app.settings",
        "import training",
        "import training.checkpoint",
        "import training.data",
        "import training.frameworks",
        "import training.loop",
        "import training.commands.train",
        "import training.commands.show",
        "import training.commands.compare",
        "import training.comparison.page",
        "import training.reporting.figures",
        "import tests.event_reader",
        COLLECT,
    ],
)
def test_import_imports_no_framework(statement):
    """Importing the service, the trainers' shared parts, or the tests imports no framework."""
    root = Path(__file__).parent.parent

    result = subprocess.run(
        [sys.executable, "-c", f"{statement}\n{REPORT}"], cwd=root, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stderr + result.stdout
    assert json.loads(result.stdout.splitlines()[-1]) == []


def test_run_imports_its_own_framework_alone(tmp_path):
    """A run in PyTorch, with its events and figures, loads neither TensorFlow nor JAX."""
    root = Path(__file__).parent.parent
    words = ["train", "--framework", "pytorch", "--epochs", "1", "--batch-size", "5000", "--hidden-dim", "4"]
    script = f"from training.__main__ import cli\ncli({words}, standalone_mode=False)\n{REPORT}"

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
