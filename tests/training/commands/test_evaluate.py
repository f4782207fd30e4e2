"""`python -m training evaluate`, as a user starts it."""

import json
import math

import pytest

from tests.checkpoints import make_checkpoint, make_weights
from tests.test_train_command import run
from training.checkpoint import save_checkpoint
from training.config import ModelConfig

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
    words = ["evaluate", "--checkpoint", "small.safetensors", "--samples", "3", "--draws", "2", "--json"]

    found = {}
    for framework in ("jax", "tensorflow", "pytorch"):
        done = run(*words, "--framework", framework, folder=folder)
        assert done.returncode == 0, done.stderr
        found[framework] = json.loads(done.stdout)

    for framework, figures in found.items():
        assert figures["framework"] == framework
        assert figures["trained_with"] == "jax"
        assert (figures["dataset"], figures["part"], figures["target"]) == ("mnist", "test", "fixed")
        assert (figures["images"], figures["draws"], figures["samples"]) == (10_000, 2, 3)
        assert figures["elbo"]["value"] == pytest.approx(
            figures["log_likelihood"]["value"] - figures["kl_divergence"]["value"]
        )
        assert figures["iwae"]["value"] > figures["elbo"]["value"]
        assert figures["bits_per_pixel"]["value"] == pytest.approx(-figures["elbo"]["value"] / 784 / math.log(2))
        assert len(figures["kl_per_dimension"]) == len(figures["activity"]) == 2
        for name in ("elbo", "log_likelihood", "kl_divergence", "iwae"):
            assert figures[name]["standard_error"] > 0
            assert figures[name]["value"] == pytest.approx(found["jax"][name]["value"], rel=1e-5)


def test_tables_show_what_the_json_has(folder):
    """Without `--json` the same figures are tables, with the origin above them; a threshold target is another."""
    words = ["evaluate", "--checkpoint", "small.safetensors", "--framework", "torch", "--samples", "2", "--draws", "1"]

    tables = run(*words, folder=folder)
    figures = json.loads(run(*words, "--json", folder=folder).stdout)
    easier = run(*words, "--target", "threshold", "--part", "validation", folder=folder)

    assert tables.returncode == easier.returncode == 0, tables.stderr + easier.stderr
    assert "10000 images of mnist, test part, target fixed, computed with pytorch on cpu" in tables.stdout
    for name in ("elbo", "log_likelihood", "kl_divergence", "iwae"):
        assert f"{figures[name]['value']:.2f}" in tables.stdout
    for name in ("kl_per_dimension", "activity"):
        for figure in figures[name]:
            assert f"{figure['value']:.3f}" in tables.stdout
    assert "validation part, target threshold" in easier.stdout
    assert f"{figures['elbo']['value']:.2f}" not in easier.stdout


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
        (["--checkpoint", "small.safetensors", "--dataset", "imagenet"], 1, "unknown data set 'imagenet'"),
        (["--checkpoint", "small.safetensors", "--framework", "caffe"], 2, "unknown framework 'caffe'"),
        (["--checkpoint", "small.safetensors", "--target", "dynamic"], 2, "'dynamic' is not one of"),
        (["--checkpoint", "small.safetensors", "--framework", "torch", "--device", "cuda"], 1, "PyTorch sees no GPU"),
    ],
)
def test_wrong_options_get_one_sentence_and_an_exit_code(folder, words, code, message):
    """Nothing is printed on standard output, and no traceback is shown."""
    done = run("evaluate", *words, folder=folder)

    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
