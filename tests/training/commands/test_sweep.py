"""`python -m training sweep`: recipes with several seeds, interrupted and continued, chosen by validation alone."""

import json
import re
import shutil
import signal
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.support.cli import run, start, wait_for
from tests.support.images.idx_files import write_idx
from training.checkpoints.checkpoint import load_checkpoint
from training.config import PRESETS, TrainConfig
from training.errors import ConfigError, RunFolderError
from training.sweep.recipes import Cell, make_cells, parse_recipe
from training.sweep.study import Outcome
from training.sweep.summary import render, summarize, write_summary


@pytest.fixture
def words(tmp_path):
    """A sweep of two recipes with two seeds on a handful of images."""
    random, folder = np.random.default_rng(0), tmp_path / "data"
    folder.mkdir()
    for name, count in (("train", 400), ("t10k", 40)):
        write_idx(folder / f"{name}-images-idx3-ubyte", random.integers(0, 256, (count, 5, 4), np.uint8))
    recipes = ("--recipe", "base", "--recipe", "learning_rate=0.1,warmup_epochs=0")
    model = ("--hidden-dim", "8", "--latent-dim", "2", "--device", "cpu")
    return ("sweep", "--framework", "pytorch", *recipes, "--seeds", "2", "--dataset", "idx:data", *model)


def outcome(recipe, seed, elbo):
    """Return the outcome of a finished run; None as ELBO is one that diverged."""
    cell = Cell(recipe=recipe, seed=seed, config=replace(TrainConfig(), seed=seed))
    return Outcome(cell=cell, validation_elbo=elbo, epoch=3, seconds=2.0)


def test_sweep_chooses_by_validation_and_tests_that_recipe_alone(tmp_path, words):
    """Tables have every run, the chosen recipe's checkpoints alone test metrics; a second call trains nothing."""
    first = run(*words, "--epochs", "2", folder=tmp_path)
    again = run(*words, "--epochs", "2", folder=tmp_path)

    assert first.returncode == again.returncode == 0, first.stderr + again.stderr
    record = json.loads((tmp_path / "sweep" / "pytorch.json").read_text())
    assert record["finished"]
    assert [len(recipe["runs"]) for recipe in record["recipes"]] == [2, 2]
    assert record["chosen"] == max(record["recipes"], key=lambda recipe: recipe["validation_elbo"])["recipe"]
    assert list(record["test_elbo"]) == ["0", "1"]
    tested = [
        "test_elbo" in load_checkpoint(path).metrics
        for path in (tmp_path / "sweep").glob("pytorch/*/model.safetensors")
    ]
    assert sorted(tested) == [False, False, True, True]
    assert f"Chosen by validation alone: `{record['chosen']}`" in (tmp_path / "sweep" / "pytorch.md").read_text()
    assert first.stderr.count("epoch 2 of 2") == 4
    assert "epoch" not in again.stderr
    assert again.stdout == first.stdout


def test_sweep_of_inverted_pictures_says_so_in_its_checkpoints(tmp_path):
    """Its checkpoints are evaluated on the pictures that it trained on, and can be trained again by their command."""
    random = np.random.default_rng(0)
    (tmp_path / "cat").mkdir()
    for number in range(60):
        Image.fromarray(random.integers(0, 255, (6, 4), np.uint8)).save(tmp_path / "cat" / f"{number}.png")
    options = ("--dataset", "images:cat", "--image-size", "6x4", "--invert", "--hidden-dim", "8", "--latent-dim", "2")
    recipe = ("--recipe", "batch_size=8", "--epochs", "1", "--seeds", "1", "--out", "swept")
    done = run("sweep", "--framework", "pytorch", *recipe, *options, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "swept").glob("pytorch/*/model.safetensors")
    training = load_checkpoint(path).training
    evaluated = run("evaluate", "--checkpoint", str(path), "--framework", "pytorch", "--samples", "2", folder=tmp_path)

    assert training["invert"] is True
    assert training["command"].endswith("--image-size 6x4 --invert")
    assert "warning" not in evaluated.stderr

    shutil.rmtree(tmp_path / "swept" / "pytorch")
    again = run("sweep", "--framework", "pytorch", *recipe, *options, folder=tmp_path)
    assert again.returncode == 1
    assert "expected the files of a finished run" in again.stderr
    assert "Traceback" not in again.stderr


def test_recipes_with_the_same_options_are_refused():
    """Two names of one recipe would train once and count twice."""
    base = PRESETS["quick"]
    recipes = [parse_recipe("batch_size=8"), parse_recipe(f"batch_size=8,learning_rate={base.learning_rate}")]

    with pytest.raises(ConfigError, match="are the same"):
        make_cells(recipes, base, seeds=1)


def test_interrupted_sweep_continues_in_the_middle_of_a_run(tmp_path, words):
    """After a signal the epoch is finished and the table so far written; the same command trains what is left."""
    process = start(*words, "--epochs", "2000", folder=tmp_path)
    line = wait_for_error(process, "1 of 4: base, seed 0: epoch 1 of 2000")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGINT, line + errors
    done = int(re.findall(r"1 of 4: base, seed 0: epoch (\d+) of 2000", line + errors)[-1])

    process = start(*words, "--epochs", "2000", folder=tmp_path)
    next_line = wait_for_error(process, "epoch")
    process.kill()
    process.communicate()
    process = start(*words, "--epochs", "2000", "--latent-dim", "3", folder=tmp_path)
    other_line = wait_for_error(process, "epoch")
    process.kill()
    process.communicate()

    assert "the same command continues the sweep" in errors
    assert f"epoch {done + 1} of 2000" in next_line
    assert "base, seed 0: epoch 1 of 2000" in other_line, "the run of another model isn't continued"


def wait_for_error(process, text):
    """Return the first line of stderr that has the text."""
    process.stdout, process.stderr = process.stderr, process.stdout
    try:
        return wait_for(process, text)
    finally:
        process.stdout, process.stderr = process.stderr, process.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("speed=3", "speed is unknown: expected epochs, batch_size, learning_rate"),
        ("seed=3", "seed is unknown"),
        ("validation_images=1000", "validation_images is unknown"),
        ("learning_rate=fast", "learning_rate is 'fast': expected a number"),
        ("batch_size=1.5", "batch_size is '1.5': expected an integer"),
        ("epochs=1,epochs=2", "epochs is given twice"),
        ("", "an empty name is unknown"),
    ],
)
def test_wrong_recipe_is_refused(text, message):
    """The message has the recipe, what is wrong and what is allowed."""
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse_recipe(text)


@pytest.mark.parametrize(
    ("recipe", "code", "message"),
    [
        ("batch_size=1000", 1, r"recipe 'batch_size=1000': idx:data has \d+ training images: expected at least one"),
        ("compute_dtype=tf32", 2, "recipe 'compute_dtype=tf32': compute_dtype is 'tf32', which a CPU hasn't"),
    ],
)
def test_recipe_that_cannot_train_is_refused_before_any_run(run_here, tmp_path, words, recipe, code, message):
    """It is named, and no other recipe is trained first."""
    done = run_here(*words, "--epochs", "1", "--recipe", recipe)

    assert done.returncode == code
    assert re.search(message, done.stderr)
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("data/train-images-idx3-ubyte/x", "can't be written: Not a directory; choose another folder"),
        ("/proc/q", "can't be written: No such file or directory; choose another folder"),
        ("x" * 300, "can't be written: File name too long; choose another folder"),
        ("damaged", r"sweep.sqlite3: can't be read or written as Optuna's study: file is not a database; restore"),
    ],
)
def test_folder_that_cannot_hold_a_study_is_named(run_here, tmp_path, words, out, message):
    """One line says what to do, and nothing is trained."""
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "sweep.sqlite3").write_bytes(np.random.default_rng(0).bytes(10_000))

    done = run_here(*words, "--epochs", "1", "--recipe", "batch_size=100", "--out", out)

    assert done.returncode == 1
    assert re.search(message, done.stderr)
    assert done.stderr.count("\n") == 1


def test_table_that_cannot_be_written_is_named(tmp_path):
    """A folder in the place of the file is an error with what to do."""
    (tmp_path / "jax.json").mkdir()

    with pytest.raises(RunFolderError, match=r"jax.json: can't be written: Is a directory; make it writable"):
        write_summary(tmp_path, "jax", summarize([outcome("slow", 0, -101.0)]), {}, {})


def test_first_seed_of_every_recipe_comes_first():
    """An early look at an unfinished sweep compares all recipes."""
    recipes = [parse_recipe("base"), parse_recipe("learning-rate=0.5")]

    cells = make_cells(recipes, PRESETS["quick"], seeds=2)

    assert [(cell.recipe, cell.seed) for cell in cells] == [
        ("base", 0),
        ("learning_rate=0.5", 0),
        ("base", 1),
        ("learning_rate=0.5", 1),
    ]
    assert [cell.config.learning_rate for cell in cells] == [3e-3, 0.5, 3e-3, 0.5]


def test_recipe_with_a_diverged_seed_is_never_chosen():
    """The mean of its other seeds would flatter it."""
    outcomes = [
        outcome("fast", 0, -80.0),
        outcome("fast", 1, None),
        outcome("slow", 0, -101.0),
        outcome("slow", 1, -103.0),
    ]

    summaries = summarize(outcomes)

    assert [(summary.recipe, summary.mean) for summary in summaries] == [("slow", -102.0), ("fast", None)]
    text = render("jax", summaries, {0: -104.0, 1: -106.0})
    assert "| slow | 102.00 ± 1.41 | 101.00 (3), 103.00 (3) | 2 |" in text
    assert "| fast | diverged | 80.00 (3), diverged | 2 |" in text
    assert "`slow`. Its test -ELBO is 105.00 ± 1.41 nats" in text
