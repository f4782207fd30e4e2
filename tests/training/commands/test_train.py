"""`python -m training`, as a user starts it."""

import json
import re
import resource
import shutil
from pathlib import Path

import pytest

from tests.support.cli import SMALL, run, start, wait_for
from tests.support.models.event_reader import read
from training.checkpoints.checkpoint import load_checkpoint
from training.engine.resume_state import load_training_state
from training.frameworks import FRAMEWORKS
from training.reporting.run_folder import read_metrics


def test_all_frameworks_are_trained_by_one_command(folder: Path) -> None:
    """`--framework all` leaves a checkpoint of each, with the command that makes it again, companion and card."""
    done = run("train", "--framework", "all", "--epochs", "1", "--out", "trained", *SMALL, folder=folder)

    assert done.returncode == 0, done.stderr
    for framework in FRAMEWORKS:
        checkpoint = load_checkpoint(folder / "trained" / framework / "model.safetensors")
        companion = json.loads((folder / "trained" / framework / "model.companion.json").read_text())
        card = (folder / "trained" / framework / "README.md").read_text()
        assert companion["checkpoint"] == checkpoint.sha256[:12]
        assert set(companion["to"]) == set(FRAMEWORKS) - {framework}
        assert checkpoint.sha256 in card
        assert checkpoint.framework == framework
        assert f"--framework {framework} --epochs 1 --batch-size 100" in checkpoint.training["command"]
        assert checkpoint.metrics["test_target"] == "fixed"
        assert f"saved trained/{framework}/model.safetensors; serve it: " in done.stdout
        assert f"python -m app --checkpoints trained --frameworks {framework}" in done.stdout
    assert done.stdout.count("test -ELBO ") == 3
    assert done.stdout.count("train: loss") == 3


def test_json_run_writes_nothing_but_json_and_leaves_its_folder(folder: Path) -> None:
    """Stdout has one JSON object per line; the folder has config, metrics, events and figures beside the checkpoint."""
    done = run("train", "--framework", "jax", "--epochs", "2", "--json", *SMALL, "--figures", folder=folder)

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    run_folder = folder / "runs" / "jax"
    assert done.stderr == ""
    assert [line["event"] for line in lines] == ["epoch", "epoch", "result"]
    assert lines[2]["test_elbo"] == load_checkpoint(run_folder / "model.safetensors").metrics["test_elbo"]
    assert [record["epoch"] for record in read_metrics(run_folder)] == [1, 2]
    assert json.loads((run_folder / "config.json").read_text())["training"]["epochs"] == 2
    assert len(list(run_folder.glob("events.out.tfevents.*"))) == 1
    figures = {"learning_curves", "reconstructions", "samples", "latent_map", "traversal"}
    assert {path.stem for path in (run_folder / "figures").iterdir()} == figures
    assert len(read(run_folder).Images("result/samples")) == 1


def test_quiet_run_prints_its_result_alone(folder: Path) -> None:
    """One line on stdout, none on stderr, and no figures where none are wanted."""
    done = run("train", "--framework", "jax", "--epochs", "1", "--quiet", *SMALL, folder=folder)

    assert re.fullmatch(r"test -ELBO .* target fixed, 10 draws\n", done.stdout)
    assert done.stderr == ""
    assert not (folder / "runs" / "jax" / "figures").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--framework", "caffe"], 2, "unknown framework 'caffe'"),
        (["--framework", "jax", "--epochs", "0"], 2, "error: --epochs is 0: expected an integer from 1"),
        (
            ["--framework", "jax", "--learning-rate", "nan"],
            2,
            "error: --learning-rate is nan: expected a number over 0",
        ),
        (["--framework", "jax", "--target", "grey"], 2, "'grey' is not one of"),
        (["--framework", "jax", "--batch-size", "60000"], 1, "50000 training images: expected at least one batch"),
        (["--framework", "jax", "--validation-images", "60000"], 1, "can't hold 60000 of 60000 images out"),
        (["--framework", "pytorch", "--device", "cuda"], 1, "PyTorch sees no GPU: use device auto or cpu"),
        (["--framework", "jax", "--quiet", "--json"], 2, "--quiet and --json: expected one of them"),
        (["--framework", "jax", "--preset", "best"], 2, "'best' is not one of"),
        (["--framework", "jax", "--out", "x" * 300], 1, "can't be locked: File name too long; choose another folder"),
        ([], 2, "Missing option '--framework'"),
    ],
)
def test_wrong_options_get_one_sentence_and_an_exit_code(
    run_here, tmp_path: Path, words: list[str], code: int, message: str
) -> None:
    """Nothing is trained, and nothing is written; an error that isn't handled would fail the test."""
    done = run_here("train", *words)

    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_wrong_option_ends_the_process_with_its_exit_code(tmp_path: Path) -> None:
    """`python -m training` passes the exit code on, and shows no traceback."""
    done = run("train", "--framework", "jax", "--dataset", "imagenet", folder=tmp_path)

    assert done.returncode == 2
    assert "unknown data set 'imagenet'" in done.stderr
    assert "Traceback" not in done.stderr


def test_unwritable_folder_is_an_error_before_training(folder: Path) -> None:
    """A file where the folder should be is named at the start, not after an epoch."""
    (folder / "taken").write_text("")

    done = run("train", "--framework", "jax", "--out", "taken/inside", *SMALL, folder=folder)

    assert done.returncode == 1
    assert "taken/inside" in done.stderr
    assert "epoch" not in done.stdout


def test_disk_that_fills_up_ends_a_run_with_the_last_good_files(folder: Path) -> None:
    """One line and exit status 1; the files are those of the last good epoch, without partial files beside them."""
    process = start("train", "--framework", "pytorch", "--epochs", "10000", *SMALL, folder=folder)
    wait_for(process, "saved")

    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (10_000, 10_000))
    _, errors = process.communicate(timeout=120)

    assert process.returncode == 1
    assert "can't be written: File too large" in errors
    assert "Traceback" not in errors
    run_folder = folder / "runs/pytorch"
    assert load_checkpoint(run_folder / "model.safetensors").metrics["epochs"] >= 1
    assert load_training_state(run_folder / "state.safetensors").epoch >= 1
    assert not [path for path in run_folder.iterdir() if path.name.startswith(".") and path.name != ".lock"]


def test_folder_that_becomes_unwritable_ends_a_run_with_one_line(folder: Path) -> None:
    """A file that takes the folder's place in mid-run is named."""
    process = start("train", "--framework", "jax", "--epochs", "10000", *SMALL, folder=folder)
    wait_for(process, "saved")

    shutil.move(folder / "runs", folder / "moved")
    (folder / "runs").write_text("")
    _, errors = process.communicate(timeout=120)

    assert process.returncode == 1
    assert "runs/jax/" in errors
    assert "can't be written" in errors
    assert "Traceback" not in errors
    assert load_training_state(folder / "moved/jax/state.safetensors").epoch >= 1


def test_loss_that_is_no_number_ends_a_run_with_one_line(folder: Path) -> None:
    """A far too high learning rate ends with exit status 1 and a line that names epoch and batch."""
    options = ("--hidden-dim", "500", "--epochs", "3", "--learning-rate", "1", "--warmup-epochs", "0")

    done = run("train", "--framework", "jax", *SMALL, *options, folder=folder)

    assert done.returncode == 1
    assert "the loss is" in done.stderr
    assert "start again with a lower learning rate" in done.stderr
    assert "Traceback" not in done.stderr
