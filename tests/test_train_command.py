"""`python -m training`, as a user starts it."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.event_reader import read
from training.checkpoint import load_checkpoint
from training.reporting.run_folder import read_metrics

SMALL = ["--hidden-dim", "8", "--latent-dim", "2", "--batch-size", "5000"]


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m training` in a folder, with the checkout on the path."""
    root = Path(__file__).parents[1]
    return subprocess.run(
        [sys.executable, "-m", "training", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_all_frameworks_are_trained_by_one_command(tmp_path: Path) -> None:
    """`--framework all` leaves a checkpoint of each, with the command that makes just that one again."""
    done = run("train", "--framework", "all", "--epochs", "1", "--out", "trained", *SMALL, folder=tmp_path)

    assert done.returncode == 0, done.stderr
    for framework in ("jax", "tensorflow", "pytorch"):
        checkpoint = load_checkpoint(tmp_path / "trained" / framework / "model.safetensors")
        assert checkpoint.framework == framework
        assert f"--framework {framework} --epochs 1 --batch-size 5000" in checkpoint.training["command"]
        assert checkpoint.metrics["test_target"] == "fixed"
        assert f"saved trained/{framework}/model.safetensors" in done.stdout
    assert done.stdout.count("test -ELBO ") == 3
    assert done.stdout.count("train: loss") == 3


def test_interrupt_keeps_the_best_so_far_and_says_so(tmp_path: Path) -> None:
    """Ctrl-C after an epoch ends the run with exit status 130, a sound checkpoint, and a line that names it."""
    command = [sys.executable, "-m", "training", "train", "--framework", "pytorch", "--epochs", "10000", *SMALL]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "saved" in line:
            break

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)

    assert process.returncode == 130
    assert "stopped: the best so far, of epoch" in errors
    assert "runs/pytorch/model.safetensors" in errors
    assert "Traceback" not in errors
    assert "test_elbo" in load_checkpoint(tmp_path / "runs/pytorch/model.safetensors").metrics
    assert (tmp_path / "runs/pytorch/figures/learning_curves.png").exists()


def test_json_run_writes_nothing_but_json_and_leaves_its_folder(tmp_path: Path) -> None:
    """Stdout is a JSON object a line; the folder has config, metrics, events and figures beside the checkpoint."""
    done = run("train", "--framework", "pytorch", "--epochs", "2", "--json", *SMALL, folder=tmp_path)

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    folder = tmp_path / "runs" / "pytorch"
    assert done.stderr == ""
    assert [line["event"] for line in lines] == ["epoch", "epoch", "result"]
    assert lines[2]["test_elbo"] == load_checkpoint(folder / "model.safetensors").metrics["test_elbo"]
    assert [record["epoch"] for record in read_metrics(folder)] == [1, 2]
    assert json.loads((folder / "config.json").read_text())["training"]["epochs"] == 2
    assert len(list(folder.glob("events.out.tfevents.*"))) == 1
    figures = {"learning_curves", "reconstructions", "samples", "latent_map", "traversal"}
    assert {path.stem for path in (folder / "figures").iterdir()} == figures
    assert len(read(folder).Images("result/samples")) == 1


def test_quiet_run_prints_its_result_alone(tmp_path: Path) -> None:
    """One line on stdout, none on stderr, and no figures where none are wanted."""
    done = run("train", "--framework", "pytorch", "--epochs", "1", "--quiet", "--no-figures", *SMALL, folder=tmp_path)

    assert re.fullmatch(r"test -ELBO .* target fixed, 10 draws\n", done.stdout)
    assert done.stderr == ""
    assert not (tmp_path / "runs" / "pytorch" / "figures").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--framework", "caffe"], 2, "unknown framework 'caffe'"),
        (["--framework", "jax", "--epochs", "0"], 2, "epochs is 0: expected an integer from 1"),
        (["--framework", "jax", "--learning-rate", "nan"], 2, "learning_rate is nan: expected a number over 0"),
        (["--framework", "jax", "--target", "grey"], 2, "'grey' is not one of"),
        (["--framework", "jax", "--dataset", "imagenet"], 1, "unknown data set 'imagenet'"),
        (["--framework", "jax", "--batch-size", "60000"], 1, "50000 training images: expected at least one batch"),
        (["--framework", "pytorch", "--device", "cuda"], 1, "PyTorch sees no GPU: use device auto or cpu"),
        (["--framework", "jax", "--quiet", "--json"], 2, "--quiet and --json: expected one of them"),
        ([], 2, "Missing option '--framework'"),
    ],
)
def test_wrong_options_get_one_sentence_and_an_exit_code(
    tmp_path: Path, words: list[str], code: int, message: str
) -> None:
    """Nothing is trained, nothing is written, and no traceback is shown."""
    done = run("train", *words, folder=tmp_path)

    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_unwritable_folder_is_an_error_before_training(tmp_path: Path) -> None:
    """A file where the folder should be is named at the start, not after an epoch."""
    (tmp_path / "taken").write_text("")

    done = run("train", "--framework", "pytorch", "--out", "taken/inside", *SMALL, folder=tmp_path)

    assert done.returncode == 1
    assert "taken/inside" in done.stderr
    assert "epoch" not in done.stdout
