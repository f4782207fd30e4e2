"""`benchmarks.recipes.seeds`: the runs of several seeds, their means and differences."""

import json
import subprocess
import sys

import pytest

from benchmarks.recipes.seeds import describe, tables
from tests.support.live_service import CHECKOUT
from training.frameworks import FRAMEWORKS

RESULTS = [
    {
        "framework": framework,
        "seed": seed,
        "best_epoch": 490,
        "train_elbo": -92.5,
        "validation_elbo": -94.6,
        "test_elbo": -93 - number - seed / 10,
    }
    for number, framework in enumerate(FRAMEWORKS)
    for seed in range(3)
]


def test_means_and_differences_of_seeds():
    """Each framework's mean with its standard deviation, and of each pair the mean difference by seed."""
    text = "\n".join(tables(RESULTS))

    assert "| **JAX** | mean |  | 92.50 ± 0.00 | 94.60 ± 0.00 | 93.10 ± 0.10 |" in text
    assert "| JAX minus PyTorch | 3 | -2.000 |" in text
    assert "differ by at most 2.000 nats" in text


def test_checkpoints_are_added_to_the_results_file(tmp_path):
    """A checkpoint adds its run, once; without checkpoints the table of the file is printed."""
    path = CHECKOUT / "checkpoints" / "jax" / "model.safetensors"
    results = tmp_path / "seeds.json"
    command = [sys.executable, "-m", "benchmarks.recipes.seeds", "--results", str(results)]
    for paths in ([str(path)], [str(path)], []):
        done = subprocess.run([*command, *paths], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)

        assert done.returncode == 0, done.stderr
        assert "| JAX | 0 | 500 | 92.50 | 94.67 | 93.13 |" in done.stdout
        assert json.loads(results.read_text(encoding="utf-8")) == [describe(path)]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_description_of_a_bundled_checkpoint(framework):
    """The recipe of the bundled checkpoints, by which runs of other seeds are comparable."""
    described = describe(CHECKOUT / "checkpoints" / framework / "model.safetensors")

    assert (described["framework"], described["seed"]) == (framework, 0)
    assert (described["epochs"], described["validation_images"]) == (500, 1000)


def test_page_has_the_tables_of_the_results_file():
    """The tables of seeds are those that the command prints."""
    folder = CHECKOUT / "benchmarks" / "recipes"
    lines = tables(json.loads((folder / "seeds.json").read_text(encoding="utf-8")))

    assert "\n".join(lines).strip() in (folder / "RESULTS.md").read_text(encoding="utf-8")
