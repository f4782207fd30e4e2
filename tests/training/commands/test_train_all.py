"""`python -m training train --framework all` as a user starts it: interrupted, hung up, and with wrong options."""

import os
import re
import shlex
import signal
from pathlib import Path

import pytest

from tests.support.cli import SMALL, run, start, wait_for
from tests.support.models.resume_states import make_state
from training.engine.resume_state import STATE_FILE, load_training_state, save_training_state
from training.frameworks import FRAMEWORKS

RECIPE = ("--epochs", "10000", *SMALL)


@pytest.fixture
def earlier(folder: Path) -> Path:
    """The folder with images and, of each framework, a finished run with other options."""
    for framework in FRAMEWORKS:
        (folder / "runs" / framework).mkdir(parents=True)
        state = make_state(framework=framework, epoch=3, finished=True)
        save_training_state(folder / "runs" / framework / STATE_FILE, state)
    return folder


@pytest.fixture
def ignored_hangup():
    """SIGHUP is ignored, here and in the processes that are started, as under nohup."""
    handler = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, handler)


def continuation(errors: str) -> list[str]:
    """Return the commands that the last line of the errors advises."""
    match = re.search(r"^stopped; continue with: (.*)$", errors, re.MULTILINE)
    assert match is not None, errors
    return match[1].split(" && ")


def expected(framework: str, mode: str) -> str:
    """Return the command that trains a framework."""
    return shlex.join(["python", "-m", "training", "train", "--framework", framework, *RECIPE, mode])


@pytest.mark.parametrize("words", [("--framework", "all"), ("--framework=all",)])
def test_interrupted_overwriting_is_continued_by_resuming_one_and_overwriting_the_others(
    earlier: Path, words: tuple[str, ...]
) -> None:
    """The interrupted run goes on; the finished runs of the frameworks that weren't started are replaced."""
    process = start("train", *words, "--overwrite", *RECIPE, folder=earlier)
    wait_for(process, "saved")
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=120)

    assert process.returncode == 143
    commands = continuation(errors)
    assert commands == [
        expected("jax", "--resume"),
        expected("tensorflow", "--overwrite"),
        expected("pytorch", "--overwrite"),
    ]
    epoch = load_training_state(earlier / "runs/jax" / STATE_FILE).epoch
    for command, number in ((commands[0], epoch + 1), (commands[2], 1)):
        again = start(*shlex.split(command)[3:], folder=earlier)
        assert wait_for(again, "epoch ").startswith(f"epoch {number:>5}/10000")
        again.kill()
        again.communicate()


def test_run_that_saved_no_state_is_overwritten_by_the_continuation(earlier: Path) -> None:
    """Until then, the folder holds the earlier run, which --resume would take for the interrupted one."""
    pipe = earlier / "runs/jax/events.out.tfevents.1"
    os.mkfifo(pipe)
    process = start("train", "--framework", "all", "--overwrite", *RECIPE, folder=earlier)
    with pipe.open("wb"):  # returns when the child begins to read it, which it does before it saves a state
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=120)

    assert process.returncode == 143
    assert continuation(errors) == [expected(framework, "--overwrite") for framework in FRAMEWORKS]


def test_last_framework_alone_is_continued(earlier: Path) -> None:
    """Frameworks that failed are named, and aren't trained again; the exit code is that of the signal."""
    for framework in ("jax", "tensorflow"):
        (earlier / "runs" / framework / "config.json").mkdir()  # ends the run before its first epoch
    process = start("train", "--framework", "all", "--overwrite", *RECIPE, folder=earlier)
    wait_for(process, "saved")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)

    assert process.returncode == 130
    assert "not trained: jax, tensorflow\n" in errors
    assert continuation(errors) == [expected("pytorch", "--resume")]


@pytest.mark.usefixtures("ignored_hangup")
def test_ignored_hangup_ends_nothing(folder: Path) -> None:
    """Under nohup, all frameworks are trained after the terminal was closed."""
    process = start("train", "--framework", "all", "--epochs", "1", *SMALL, folder=folder)
    wait_for(process, "epoch 1/1")

    process.send_signal(signal.SIGHUP)
    _, errors = process.communicate(timeout=240)

    assert process.returncode == 0, errors
    assert "stopped" not in errors
    for framework in FRAMEWORKS:
        assert load_training_state(folder / "runs" / framework / STATE_FILE).finished


@pytest.mark.parametrize(
    ("words", "message", "count"),
    [
        (("--epochs", "0"), "error: --epochs is 0: expected an integer from 1", 1),
        (("--resume", "--overwrite"), "error: --resume and --overwrite: expected one of them", 1),
        (("--dataset", "imagenet"), "error: unknown data set 'imagenet'", 3),
    ],
)
def test_invalid_option_is_exit_code_2(tmp_path: Path, words: tuple[str, ...], message: str, count: int) -> None:
    """A value out of range is one error; what only the processes of the frameworks find is one of each."""
    done = run("train", "--framework", "all", *words, folder=tmp_path)

    assert done.returncode == 2
    assert done.stderr.count(message) == count
    assert "Traceback" not in done.stderr
