"""`python -m training train --resume` as a user types it, after real processes were killed."""

import random
import re
import shlex
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.cli import SMALL, run, start, wait_for, write_images
from training.checkpoints.checkpoint import load_checkpoint
from training.checkpoints.model_files import locate
from training.checkpoints.snapshots import list_snapshots
from training.engine.resume_state import load_training_state
from training.frameworks import FRAMEWORKS

KILLS = {"jax": 2, "tensorflow": 1, "pytorch": 1}
"""Once more than once: JAX's processes start fastest."""


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_run_killed_at_random_moments_ends_with_the_same_weights(tmp_path: Path, framework: str) -> None:
    """SIGKILL at any moment, then --resume: the weights are bit for bit those of an uninterrupted run."""
    # Fewer images than MNIST's: a tenth of the work, and the files are written in a larger part of the time.
    write_images(tmp_path, 6000)
    options = ("train", "--framework", framework, "--epochs", "30", *SMALL, "--batch-size", "400")
    uninterrupted = run(*options, "--out", "whole", folder=tmp_path)
    assert uninterrupted.returncode == 0, uninterrupted.stderr
    seconds = [float(text) for text in re.findall(r"epoch +\d+/30 +([\d.]+) s", uninterrupted.stdout)]
    moments = [(random.randint(0, 2), random.uniform(0, float(np.median(seconds)))) for _ in range(KILLS[framework])]

    for epochs, delay in moments:
        process = start(*options, "--out", "killed", "--resume", folder=tmp_path)
        wait_for(process, "epochs of 4167 images")
        for _ in range(epochs):
            wait_for(process, "epoch ")
        time.sleep(delay)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL, f"it was over before it was killed: {moments}"
    done = run(*options, "--out", "killed", "--resume", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    expected, resumed = (
        load_checkpoint(tmp_path / out / framework / "model.safetensors") for out in ("whole", "killed")
    )
    for name, array in expected.weights.items():
        np.testing.assert_array_equal(resumed.weights[name], array, err_msg=f"killed at {moments}")
    timeless = {"seconds"}
    assert {k: v for k, v in resumed.metrics.items() if k not in timeless} == {
        k: v for k, v in expected.metrics.items() if k not in timeless
    }


@pytest.mark.parametrize("folder", ["pictures", "moved"])
def test_killed_run_resumes_with_its_own_options(tmp_path: Path, folder: str) -> None:
    """Size and inversion of the pictures and the epochs of the snapshots are the run's without being repeated.

    The folder of the pictures may have moved.
    """
    (tmp_path / "pictures").mkdir()
    random = np.random.default_rng(0)
    for number in range(60):
        Image.fromarray(random.integers(0, 256, (6, 4), np.uint8)).save(tmp_path / "pictures" / f"{number}.png")
    data = ("--dataset", "images:pictures", "--image-size", "6x4", "--invert")
    recipe = ("--batch-size", "8", "--hidden-dim", "8", "--latent-dim", "2", "--epochs", "60")
    process = start("train", "--framework", "jax", *data, *recipe, "--snapshots", "1,60", folder=tmp_path)
    wait_for(process, "epoch ")
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL

    (tmp_path / "pictures").rename(tmp_path / folder)
    moved = () if folder == "pictures" else ("--dataset", f"images:{folder}")
    done = run("train", "--framework", "jax", "--no-figures", "--resume", *moved, folder=tmp_path)

    assert done.returncode == 0, done.stderr
    path = tmp_path / "runs/jax/model.safetensors"
    checkpoint = load_checkpoint(path)
    assert checkpoint.training["dataset"] == f"images:{folder}"
    assert list(list_snapshots(locate(path), checkpoint_id=checkpoint.id)) == [1, 60]
    assert checkpoint.training["invert"] is True
    assert checkpoint.training["command"].endswith("--image-size 6x4 --invert")


@pytest.mark.parametrize(("received", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_first_signal_saves_the_epoch_and_gives_the_command_to_go_on(
    folder: Path, received: signal.Signals, code: int
) -> None:
    """Exit status 130 or 143, and one line with a command that resumes at the next epoch."""
    process = start("train", "--framework", "jax", "--epochs", "10000", "--out", "a b", *SMALL, folder=folder)
    wait_for(process, "saved")

    process.send_signal(received)
    output, errors = process.communicate(timeout=120)

    assert process.returncode == code
    assert f"{received.name}: stopping after this epoch; a second one ends at once" in errors
    match = re.search(
        r"^stopped after epoch (\d+) of 10000: .*; continue with: (python -m training .*)$", errors, re.MULTILINE
    )
    assert match is not None, errors
    assert "Traceback" not in errors
    assert "test -ELBO" not in output
    epoch = int(match[1])
    assert load_training_state(folder / "a b/jax/state.safetensors").epoch == epoch
    again = start(*shlex.split(match[2])[3:], folder=folder)
    assert wait_for(again, "epoch ").startswith(f"epoch {epoch + 1:>5}/10000")
    again.kill()
    again.communicate()


def test_second_signal_ends_at_once(tmp_path: Path) -> None:
    """In the middle of an epoch, without saving it, and without a traceback."""
    process = start(
        "train", "--framework", "jax", "--epochs", "2", "--hidden-dim", "2000", "--batch-size", "500", folder=tmp_path
    )
    state = tmp_path / "runs/jax/state.safetensors"
    deadline = time.monotonic() + 120
    while not state.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)

    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    output, errors = process.communicate(timeout=120)

    assert process.returncode == 130
    assert time.monotonic() - began < 2
    assert "epoch " not in output
    assert "Traceback" not in errors
    assert load_training_state(state).epoch == 0


@pytest.mark.parametrize(("received", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_to_all_stops_the_one_that_runs_and_starts_no_other(
    folder: Path, received: signal.Signals, code: int
) -> None:
    """The parent forwards it, waits for the epoch to be saved, and exits with its child's code."""
    process = start("train", "--framework", "all", "--epochs", "10000", *SMALL, folder=folder)
    wait_for(process, "saved")

    process.send_signal(received)
    _, errors = process.communicate(timeout=120)

    assert process.returncode == code
    assert "--framework jax --out runs --resume" in errors
    assert "stopped; continue with: python -m training train --framework all --epochs 10000" in errors
    assert errors.count("stopping after this epoch") == 1
    assert [path.name for path in (folder / "runs").iterdir()] == ["jax"]
    assert load_training_state(folder / "runs/jax/state.safetensors").epoch > 0


def test_finished_run_is_left_alone_and_others_are_refused(folder: Path) -> None:
    """--resume says where there is nothing to resume, that a run is finished, or which option contradicts it."""
    options = ("train", "--framework", "jax", *SMALL)

    first = run(*options, "--epochs", "1", "--resume", folder=folder)
    files = {path.name: path.read_bytes() for path in (folder / "runs/jax").iterdir()}
    again = run(*options, "--resume", folder=folder)
    longer = run(*options, "--epochs", "2", "--resume", folder=folder)

    assert first.returncode == 0, first.stderr
    assert "runs/jax: no run to resume: starting from the beginning" in first.stderr
    assert again.returncode == 0, again.stderr
    assert "runs/jax: finished after 1 epoch: nothing to resume" in again.stderr
    assert longer.returncode == 2
    assert "began with --epochs 1, not 2, and can't change it, for the learning rate" in longer.stderr
    assert {path.name: path.read_bytes() for path in (folder / "runs/jax").iterdir()} == files


def test_run_in_the_folder_of_another_is_refused_unless_told_to_replace_it(folder: Path) -> None:
    """The error names data set, epochs and options, and changes no file; --overwrite replaces the run."""
    options = ("train", "--framework", "jax", *SMALL)
    process = start(*options, "--epochs", "10000", folder=folder)
    wait_for(process, "saved")

    second = run(*options, "--epochs", "1", folder=folder)
    process.kill()
    process.communicate()
    files = {path.name: path.read_bytes() for path in (folder / "runs/jax").iterdir()}
    third = run(*options, "--epochs", "1", folder=folder)
    files_after = {path.name: path.read_bytes() for path in (folder / "runs/jax").iterdir()}
    fourth = run(*options, "--epochs", "1", "--overwrite", folder=folder)
    both = run(*options, "--overwrite", "--resume", folder=folder)

    assert second.returncode == 1
    assert "runs/jax: another run is writing here: wait for its end, or choose another folder" in second.stderr
    assert "Traceback" not in second.stderr
    assert third.returncode == 1
    assert re.search(
        r"runs/jax holds a run on idx:images, unfinished, \d+ of 10000 epochs: continue it with --resume, "
        "replace it with --overwrite, or choose another folder with --out",
        third.stderr,
    )
    assert files_after == files
    assert fourth.returncode == 0, fourth.stderr
    assert both.returncode == 2
    assert "--resume and --overwrite: expected one of them" in both.stderr
    state = load_training_state(folder / "runs/jax/state.safetensors")
    assert (state.epoch, state.config.epochs, state.finished) == (1, 1, True)
