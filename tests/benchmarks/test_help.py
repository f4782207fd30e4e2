"""Each benchmark that is started by hand says what it is and takes."""

import subprocess
import sys

import pytest

from tests.support.live_service import CHECKOUT

BENCHMARKS = [
    "benchmarks.training.adam_parity",
    "benchmarks.devices",
    "benchmarks.gpu",
    "benchmarks.mistakes",
    "benchmarks.model_memory",
    "benchmarks.recipes",
    "benchmarks.recipes.initial_weights",
    "benchmarks.recipes.seeds",
    "benchmarks.scaling",
    "benchmarks.serving",
    "benchmarks.serving.event_loop_costs",
    "benchmarks.serving.path_length",
    "benchmarks.soak",
    "benchmarks.training",
    "benchmarks.training.loaders",
    "benchmarks.worker_balance",
]


@pytest.mark.parametrize("name", BENCHMARKS)
def test_help_is_shown_and_nothing_measured(name):
    """`--help` names the command as it is typed, and ends."""
    done = subprocess.run(
        [sys.executable, "-m", name, "--help"], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: python -m {name} [-h]")
