"""`python -m training evaluate`, as a user starts it."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.support.checkpoints import make_checkpoint, make_weights
from tests.support.cli import run
from training.checkpoints.checkpoint import save_checkpoint
from training.config import ModelConfig
from training.data import load_dataset
from training.frameworks import FRAMEWORKS

MODEL = ModelConfig(hidden_dim=8, latent_dim=2)


@pytest.fixture
def folder(tmp_path):
    """A folder with a checkpoint for MNIST, small.safetensors, and one for other images, odd.safetensors."""
    weights = {name: 0.5 * array for name, array in make_weights(MODEL).items()}
    save_checkpoint(tmp_path / "small.safetensors", make_checkpoint(MODEL, weights))
    save_checkpoint(tmp_path / "odd.safetensors", make_checkpoint(ModelConfig(image_shape=(16, 24), hidden_dim=2)))
    return tmp_path


def test_json_has_every_figure_and_all_frameworks_agree(folder):
    """One object on standard output and nothing else; the same noise gives the same figures in each framework."""
    arguments = [
        "evaluate",
        "--checkpoint",
        "small.safetensors",
        "--samples",
        "3",
        "--samples",
        "1",
        "--draws",
        "2",
        "--json",
    ]

    reports = {}
    for framework in FRAMEWORKS:
        done = run(*arguments, "--framework", framework, folder=folder)
        assert done.returncode == 0, done.stderr
        reports[framework] = json.loads(done.stdout)

    for framework, figures in reports.items():
        assert figures["framework"] == framework
        assert figures["trained_with"] == "jax"
        assert (figures["dataset"], figures["split"], figures["target"]) == ("mnist", "test", "fixed")
        assert (figures["images"], figures["draws"], figures["samples"]) == (10_000, 2, 3)
        assert figures["elbo"]["value"] == pytest.approx(
            figures["log_likelihood"]["value"] - figures["kl_divergence"]["value"]
        )
        assert figures["iwae"]["value"] > figures["elbo"]["value"]
        one, three = figures["bounds"]
        assert (one["samples"], one["effective_samples"]) == (1, 1)
        assert (three["samples"], three["iwae"]) == (3, figures["iwae"])
        assert 1 <= three["effective_samples"] < 3
        assert figures["bits_per_pixel"]["value"] == pytest.approx(-figures["elbo"]["value"] / 784 / math.log(2))
        assert len(figures["kl_per_dimension"]) == len(figures["activity"]) == 2
        for name in ("elbo", "log_likelihood", "kl_divergence", "iwae"):
            assert figures[name]["standard_error"] > 0
            assert figures[name]["value"] == pytest.approx(reports["jax"][name]["value"], rel=1e-5)


def test_tables_show_what_the_json_has(folder):
    """Without `--json` the same figures are tables, with the origin above them; a threshold target is another."""
    arguments = [
        "evaluate",
        "--checkpoint",
        "small.safetensors",
        "--framework",
        "flax",
        "--samples",
        "2",
        "--draws",
        "1",
    ]

    tables = run(*arguments, folder=folder)
    figures = json.loads(run(*arguments, "--json", folder=folder).stdout)
    easier = run(*arguments, "--target", "threshold", "--split", "validation", folder=folder)

    assert tables.returncode == easier.returncode == 0, tables.stderr + easier.stderr
    assert "10000 images of mnist, test split, target fixed, computed with jax on cpu" in tables.stdout
    for name in ("elbo", "log_likelihood", "kl_divergence", "iwae"):
        assert f"{figures[name]['value']:.2f}" in tables.stdout
    for name in ("kl_per_dimension", "activity"):
        for figure in figures[name]:
            assert f"{figure['value']:.3f}" in tables.stdout
    bound = figures["bounds"][0]
    assert f"median effective sample size {bound['effective_samples']:.1f} of 2" in tables.stdout
    assert "warning" not in tables.stderr
    assert "validation split, target threshold" in easier.stdout
    assert f"{figures['elbo']['value']:.2f}" not in easier.stdout


def test_other_images_than_those_of_the_training_are_named(tmp_path):
    """Without options it measures the checkpoint's own data set, inverted as there; any other images get a warning."""
    random = np.random.default_rng(0)
    (tmp_path / "drawings").mkdir()
    for number in range(12):
        Image.fromarray(random.integers(0, 255, (4, 6), np.uint8)).save(tmp_path / "drawings" / f"{number}.png")
    images = load_dataset(f"images:{tmp_path / 'drawings'}", image_shape=(4, 6), invert=True)
    own = {"dataset": "images:drawings", "invert": True, "data_sha256": images.sha256()}
    checkpoint = make_checkpoint(ModelConfig(image_shape=(4, 6), hidden_dim=3, latent_dim=2))
    save_checkpoint(tmp_path / "own.safetensors", replace(checkpoint, training={**checkpoint.training, **own}))
    arguments = ["evaluate", "--checkpoint", "own.safetensors", "--samples", "1", "--draws", "1", "--json"]

    same = run(*arguments, folder=tmp_path)
    other = run(*arguments, "--no-invert", folder=tmp_path)
    respelled = run(*arguments, "--dataset", "images:./drawings", "--invert", folder=tmp_path)

    assert "warning" not in respelled.stderr
    assert json.loads(respelled.stdout)["elbo"] == json.loads(same.stdout)["elbo"]
    assert same.returncode == other.returncode == 0, same.stderr + other.stderr
    assert "warning" not in same.stderr
    assert "trained on, which is images:drawings --invert: its figures aren't comparable" in other.stderr
    assert json.loads(same.stdout)["elbo"] != json.loads(other.stdout)["elbo"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "Missing option '--checkpoint'"),
        (["--checkpoint", "none.safetensors"], 1, "none.safetensors: can't be read: there is no such file"),
        (
            ["--checkpoint", "odd.safetensors"],
            1,
            "28 x 28 pixels: expected 16 x 24, which the model of odd.safetensors",
        ),
        (["--checkpoint", "small.safetensors", "--samples", "0"], 2, "Invalid value for '--samples'"),
        (["--checkpoint", "small.safetensors", "--samples", "many"], 2, "Invalid value for '--samples'"),
        (["--checkpoint", "small.safetensors", "--dataset", "imagenet"], 2, "unknown data set 'imagenet'"),
        (["--checkpoint", "small.safetensors", "--dataset", ""], 2, "unknown data set ''"),
        (["--checkpoint", "small.safetensors", "--framework", "caffe"], 2, "unknown framework 'caffe'"),
        (["--checkpoint", "small.safetensors", "--target", "dynamic"], 2, "'dynamic' is not one of"),
        (["--checkpoint", "small.safetensors", "--framework", "torch", "--device", "cuda"], 1, "PyTorch sees no GPU"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_wrong_options_get_one_sentence_and_an_exit_code(run_here, words, code, message):
    """Nothing is printed on standard output; an error that isn't handled would fail the test."""
    done = run_here("evaluate", *words)

    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
