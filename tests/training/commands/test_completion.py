"""`python -m training train --resume` of a run whose training is over, but whose folder lacks files."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.cli import SMALL, run, start
from training.engine.resume_state import STATE_FILE, load_training_state

OPTIONS = ("train", "--framework", "jax", "--epochs", "1", *SMALL)

FILES = ("model.companion.json", "README.md", "figures/samples.png")


def test_run_stopped_after_its_test_gets_its_documents_and_figures(folder: Path) -> None:
    """SIGTERM while the model card is written leaves the run unfinished; --resume writes it and what follows."""
    run_folder = folder / "runs/jax"
    run_folder.mkdir(parents=True)
    card = run_folder / "README.md"
    os.mkfifo(card)
    process = start(*OPTIONS, "--figures", folder=folder)
    with card.open("wb"):  # returns when the process looks whether the card was written by hand
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=120)
    card.unlink()

    resumed = run("train", "--framework", "jax", "--resume", folder=folder)

    assert process.returncode == 143, errors
    assert "test -ELBO" in output
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stderr.splitlines() == ["runs/jax: trained for 1 epoch: completing what is missing"]
    assert all((run_folder / name).is_file() for name in FILES)
    assert load_training_state(run_folder / STATE_FILE).finished


@pytest.mark.parametrize("name", FILES[:2])
def test_missing_document_of_a_finished_run_is_written_again(folder: Path, name: str) -> None:
    """Either is written by --resume, which leaves the folder alone once none is missing."""
    first = run(*OPTIONS, folder=folder)
    (folder / "runs/jax" / name).unlink()

    again = run(*OPTIONS, "--resume", folder=folder)
    third = run(*OPTIONS, "--resume", folder=folder)

    assert first.returncode == again.returncode == third.returncode == 0, again.stderr
    assert again.stderr.splitlines() == ["runs/jax: trained for 1 epoch: completing what is missing"]
    assert (folder / "runs/jax" / name).is_file()
    assert third.stderr.splitlines() == ["runs/jax: finished after 1 epoch: nothing to resume"]
