"""`python -m app models` as a process: list, promote, rollback, history."""

import subprocess
import sys

import pytest

from tests.support.app import CHECKOUT
from tests.support.checkpoints import make_checkpoint, make_weights
from training.checkpoints.checkpoint import save_checkpoint


def run(*arguments):
    """Run the command, and return its exit code, output and errors."""
    command = [sys.executable, "-m", "app", "models", *map(str, arguments)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def save(path, seed, elbo):
    """Write a checkpoint with the weights of a seed and a test ELBO; return its ID."""
    metrics = {"test_elbo": elbo, "test_elbo_standard_error": 0.25, "test_target": "fixed"}
    training = {"dataset": "images:/home/ada/cats"}
    checkpoint = make_checkpoint(weights=make_weights(seed=seed), metrics=metrics, training=training)
    return save_checkpoint(path, checkpoint).sha256[:12]


def test_promote_and_rollback_from_the_shell(tmp_path):
    """A promotion reports both checkpoints, and a rollback and the history follow from it."""
    first = save(tmp_path / "served" / "jax" / "cats.safetensors", 0, -100.0)
    second = save(tmp_path / "runs" / "jax" / "model.safetensors", 1, -99.0)
    place = ("--checkpoints", tmp_path / "served", "--name", "cats")

    promoted = run("promote", tmp_path / "runs" / "jax" / "model.safetensors", *place)
    rolled_back = run("rollback", *place)
    history = run("history", *place)

    assert promoted[0] == rolled_back[0] == history[0] == 0
    assert f"jax/cats: {second}, replaces {first}; images:cats, test ELBO -99.00 +- 0.25" in promoted[1]
    assert f"jax/cats: {first}, replaces {second}" in rolled_back[1]
    assert [line.split()[1] for line in history[1].splitlines()] == ["promote", "rollback"]


def test_worse_checkpoint_is_refused_in_one_line(tmp_path):
    """The exit code is 1, the error one line with both figures, and --force overrides it."""
    save(tmp_path / "served" / "jax" / "model.safetensors", 0, -99.0)
    worse = tmp_path / "runs" / "jax" / "model.safetensors"
    save(worse, 1, -100.0)
    arguments = ("promote", worse, "--checkpoints", tmp_path / "served")

    code, output, errors = run(*arguments)
    forced = run(*arguments, "--force")

    assert (code, output, errors.count("\n")) == (1, "", 1)
    assert "-100.00 +- 0.25 nats (target fixed), worse than -99.00 +- 0.25" in errors
    assert forced[0] == 0


def test_list_shows_each_model_and_no_folder(tmp_path):
    """A line per model, with its shape, data set and figure; the data set without its folder."""
    for framework in ("jax", "pytorch"):
        save(tmp_path / framework / "model.safetensors", 0, -99.0)

    code, output, _ = run("list", "--checkpoints", tmp_path)

    assert code == 0
    assert [line.split()[0] for line in output.splitlines()] == ["jax/model", "pytorch/model"]
    assert "2x3, 2 latents, images:cats, test ELBO -99.00 +- 0.25 nats (target fixed)" in output
    assert "/home" not in output


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("promote", "absent.safetensors"), 1, "there is no such file"),
        (("rollback", "--name", "../x"), 2, "model name"),
        (("rollback", "--framework", "theano"), 2, "theano"),
        (("rollback", "--name", "absent"), 2, "no framework has a model 'absent'"),
    ],
)
def test_wrong_options_are_explained(tmp_path, words, code, message):
    """Each error is one line that says what is wrong."""
    exit_code, _, errors = run(*words, "--checkpoints", tmp_path)

    assert exit_code == code
    assert message in errors
    assert errors.count("\n") == 1
