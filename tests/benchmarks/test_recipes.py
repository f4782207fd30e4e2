"""`benchmarks.recipes`: the runs of several seeds, their means and differences, and where those are from."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks.recipes import initial_weights
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
        assert "| JAX | 2 | 497 | 92.57 | 94.38 | 93.28 |" in done.stdout
        assert json.loads(results.read_text(encoding="utf-8")) == [describe(path)]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_description_of_a_bundled_checkpoint(framework):
    """The recipe of the bundled checkpoints, of which the seed with the best validation ELBO is bundled."""
    described = describe(CHECKOUT / "checkpoints" / framework / "model.safetensors")
    runs = json.loads((CHECKOUT / "benchmarks" / "recipes" / "seeds.json").read_text(encoding="utf-8"))
    best = max((run for run in runs if run["framework"] == framework), key=lambda run: run["validation_elbo"])

    assert described == best
    assert (described["epochs"], described["validation_images"]) == (500, 1000)


def test_page_has_the_tables_of_the_results_file():
    """The tables of seeds and of initial weights are those that the commands print."""
    folder = CHECKOUT / "benchmarks" / "recipes"
    lines = tables(json.loads((folder / "seeds.json").read_text(encoding="utf-8")))

    page = (folder / "RESULTS.md").read_text(encoding="utf-8")
    assert "\n".join(lines).strip() in page
    runs = initial_weights.read_runs(sorted(folder.glob("initial_weights_*.jsonl")))
    assert "\n".join(initial_weights.tables(runs)).strip() in page


def test_effects_of_trainer_and_initial_weights():
    """Means by both, and the effect of each alone, paired by seed."""
    runs = {
        (trainer, source, seed): 99 + 0.5 * (trainer == "tensorflow") + 0.1 * (source == "tensorflow") + seed / 10
        for trainer in ("jax", "tensorflow")
        for source in ("jax", "tensorflow")
        for seed in range(3)
    }
    text = "\n".join(initial_weights.tables(runs))

    assert "mean of 3 seeds" in text
    assert "| of TensorFlow | 99.200 | 99.700 |" in text
    assert "| TensorFlow's trainer instead of JAX's | +0.500 | ± 0.000 |" in text
    assert "| TensorFlow's initial weights instead of JAX's | +0.100 | ± 0.000 |" in text


def test_runs_from_both_initial_weights_are_added_once(tmp_path):
    """A small run from each framework's initial weights: each differs, and none is repeated."""
    out = tmp_path / "runs.jsonl"
    small = [
        "--trainers",
        "jax",
        "--first-seed",
        "3",
        "--seeds",
        "1",
        "--epochs",
        "1",
        "--images",
        "512",
        "--out",
        str(out),
    ]
    for _ in range(2):
        command = [sys.executable, "-m", "benchmarks.recipes.initial_weights", *small]
        subprocess.run(command, cwd=CHECKOUT, check=True, timeout=120)

    runs = initial_weights.read_runs([out])
    assert set(runs) == {("jax", "jax", 3), ("jax", "tensorflow", 3)}
    assert len(set(runs.values())) == 2
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--trainers", "foo"], "unknown framework"),
        (["--epochs", "0"], "epochs is 0"),
        (["--table", "absent.jsonl"], "No such file"),
        (["--table", "one.jsonl"], "of 1 seed: expected two or more"),
        (["--table", "one.jsonl", "short.jsonl"], "1 and 2 epochs: expected one number"),
    ],
)
def test_wrong_options_of_initial_weights_are_explained(tmp_path, options, message):
    """Without a traceback, and before anything is trained."""
    run = {"trainer": "jax", "weights_of": "jax", "seed": 1, "train_elbo": [-100.0, -99.0]}
    (tmp_path / "one.jsonl").write_text(json.dumps(run) + "\n", encoding="utf-8")
    (tmp_path / "short.jsonl").write_text(json.dumps(run | {"seed": 2, "train_elbo": [-99.0]}) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.recipes.initial_weights", *options]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
