"""Lazy imports: nobody pays for a framework, or needs it installed, before asking for it."""

import json
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
