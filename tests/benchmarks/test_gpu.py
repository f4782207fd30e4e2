"""`python -m benchmarks.gpu`: all of its parts, on the CPU and tiny, so that it works when a GPU is at hand."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks.gpu.__main__ import main
from tests.support.live_service import CHECKOUT
from training.frameworks import trainable_frameworks

TINY = ("--device", "cpu", "--sizes", "1,32", "--seconds", "0.02", "--preset", "quick")


def benchmark(*arguments, **variables):
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", *arguments],
        cwd=CHECKOUT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def check_adapter(parts):
    """Check the figures of the parts that one process measures."""
    assert max(parts["parity"]["relative_difference"].values()) < 1e-4
    assert [row["batch"] for row in parts["throughput"]["sizes"]] == [1, 32]
    assert all(value > 0 for row in parts["throughput"]["sizes"] for value in row.values())
    assert list(parts["latency"]) == ["1", "32"]


@pytest.mark.parametrize("framework", [name for name in trainable_frameworks() if name != "pytorch"])
def test_adapter_of_each_framework_is_measured(framework, tmp_path):
    """Parity, throughput and latency are measured by each framework's own loops."""
    path = tmp_path / "gpu.json"

    done = benchmark("--frameworks", framework, "--parts", "adapter", *TINY, "--json", str(path))

    assert done.returncode == 0, done.stderr
    check_adapter(json.loads(path.read_text())["frameworks"][framework])


def test_every_part_is_measured_and_written(tmp_path):
    """Each part has its figures in the JSON file and its lines in the tables."""
    path = tmp_path / "gpu.json"
    tiny = "--epochs 1 --batch-size 5000 --hidden-dim 8 --latent-dim 2"

    done = benchmark("--frameworks", "pytorch", *TINY, f"--train-options={tiny}", "--json", str(path))

    assert done.returncode == 0, done.stderr
    parts = json.loads(path.read_text())["frameworks"]
    check_adapter(parts["pytorch"])
    assert parts["pytorch"]["training"]["epochs"] == 1
    assert all(rate > 0 for rate in parts["all"]["sharing"]["images_per_second"])
    assert "| three processes on one card |" in done.stdout
    assert "pytorch: a training of 1 epoch took" in done.stdout


def test_without_a_gpu_it_says_why_nothing_is_measured(tmp_path):
    """A machine without NVIDIA's driver is no error: the reason is printed, and no file written."""
    done = benchmark("--json", str(tmp_path / "gpu.json"), PATH=str(tmp_path))

    assert done.returncode == 0
    assert done.stdout == "skipped: there is no NVIDIA driver on this machine (nvidia-smi is missing)\n"
    assert not list(tmp_path.iterdir())


def test_parts_without_time_are_recorded_as_skipped(tmp_path):
    """A budget that is over leaves each part with a reason, in a whole file."""
    path = tmp_path / "gpu.json"

    code = main(["--frameworks", "pytorch", "--device", "cpu", "--budget", "0", "--json", str(path)])

    parts = json.loads(path.read_text())["frameworks"]
    assert code == 0
    assert len(parts["pytorch"]) == 4
    assert all("skipped" in part for framework_parts in parts.values() for part in framework_parts.values())


def test_table_of_an_earlier_run_is_printed_again(tmp_path, capsys):
    """`--table` measures nothing."""
    path = tmp_path / "gpu.json"
    size = {"batch": 8192, "share_of_products": 0.75}
    rates = ("images_per_second", "images_per_second_on_device", "images_per_second_of_products")
    throughput = {"sizes": [size | dict.fromkeys(rates, 1e6)]}
    content = {"machine": "a card", "versions": {"jax": "1.0"}, "frameworks": {"jax": {"throughput": throughput}}}
    path.write_text(json.dumps(content))

    main(["--table", str(path)])

    assert "| 8,192 | 1,000,000 | 1,000,000 | 1,000,000 | 0.75 |" in capsys.readouterr().out
