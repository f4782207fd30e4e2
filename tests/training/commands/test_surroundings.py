"""`python -m training` in users' environments: variables, encodings, closed pipes, signals, typing errors."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.checkpoints import make_checkpoint, make_weights
from tests.support.cli import SMALL, run, start
from tests.support.live_service import CHECKOUT
from training.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from training.config import ModelConfig
from training.engine.resume_state import STATE_FILE, load_training_state
from training.frameworks import FRAMEWORKS

HOSTILE = {
    "KERAS_BACKEND": "torch",
    "KERAS_FLOATX": "float16",
    "JAX_PLATFORMS": "tpu",
    "JAX_ENABLE_X64": "1",
    "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    "XLA_FLAGS": "--xla_no_such_flag=1",
    "TF_ENABLE_ONEDNN_OPTS": "what",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1",
    "FLAX_PROFILE": "abc",
    "JAX_LOGGING_LEVEL": "abc",
    "CHECK_VMA": "abc",
    "TF2_BEHAVIOR": "0",
    "HDF5_DRIVER": "abc",
    "SYMPY_CACHE_SIZE": "abc",
    "AOTINDUCTOR_REPRO_LEVEL": "abc",
    "OMP_NUM_THREADS": "abc",
    "NPROC": "abc",
    "NPY_DISABLE_CPU_FEATURES": "AVX2",
    "NPY_PROMOTION_STATE": "abc",
    "NUMPY_MADVISE_HUGEPAGE": "abc",
    "JAXTYPING_DISABLE": "abc",
    "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "abc",
    "TERMINAL_WIDTH": "abc",
    "FSSPEC_CONFIG_DIR": str(Path(__file__).parents[3] / "docs"),  # a folder of other JSON files
    "PYTHONWARNINGS": "error",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}
"""Variables each of which changed the weights, or crashed the trainer, in one of the frameworks."""

MODEL = ModelConfig(hidden_dim=8, latent_dim=2)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_hostile_environment_changes_nothing(folder: Path, framework: str) -> None:
    """The weights are those of a clean environment, bit for bit; what was ignored is named on one line."""
    (folder / ".keras").mkdir()
    (folder / ".keras" / "keras.json").write_text(json.dumps({"backend": "jax", "floatx": "float16"}))
    arguments = ("train", "--framework", framework, "--epochs", "1", *SMALL, "--figures")

    clean = run(*arguments, "--out", "clean", folder=folder)
    # Nothing that the clean environment has compiled.
    variables = {**HOSTILE, "HOME": str(folder), "JAX_ENABLE_COMPILATION_CACHE": "0"}
    hostile = run(*arguments, "--out", "hostile", folder=folder, **variables)

    assert clean.returncode == 0, clean.stderr
    assert hostile.returncode == 0, hostile.stderr
    assert hostile.stderr.count("ignored, because they could change results: ") == 1
    assert "Traceback" not in hostile.stderr
    expected, actual = (load_checkpoint(folder / out / framework / "model.safetensors") for out in ("clean", "hostile"))
    for name, array in expected.weights.items():
        np.testing.assert_array_equal(actual.weights[name], array)
    assert (folder / "hostile" / framework / "figures" / "samples.png").exists()


def test_hostile_environment_ends_no_command(tmp_path: Path) -> None:
    """Variables that are read while the commands are imported are checked before; every command imports them all."""
    done = run("compare", "--help", folder=tmp_path, **HOSTILE)

    assert done.returncode == 0, done.stderr
    assert "python -m training compare [OPTIONS]" in done.stdout
    assert done.stderr.startswith("ignored, because they could change results: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("package", ["typer", "filelock"])
def test_installation_without_the_extra_is_told_of_it(package: str) -> None:
    """With a framework and the client alone, which is enough to serve, one line names the extra for training."""
    script = f"import sys; sys.modules['{package}'] = None; from training.__main__ import main; sys.exit(main())"

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 1
    assert f"error: {package} is not installed: run `pip install 'triptych[train]'`" in done.stderr
    assert "Traceback" not in done.stderr


def test_finished_run_survives_figures_that_cant_be_drawn(folder: Path) -> None:
    """A file where the figures' folder should be: exit status 0, the checkpoint is saved, and one line says why."""
    run_folder = folder / "runs" / "jax"
    run_folder.mkdir(parents=True)
    (run_folder / "figures").write_text("")

    done = run("train", "--framework", "jax", "--epochs", "1", *SMALL, "--figures", folder=folder)

    assert done.returncode == 0, done.stderr
    assert "the figures weren't drawn: RunFolderError: " in done.stderr
    assert "Traceback" not in done.stderr
    assert load_training_state(run_folder / STATE_FILE).finished


def test_encoding_without_a_paths_letters_fails_nothing(folder: Path) -> None:
    """Letters that the output can't encode are escaped."""
    arguments = ("train", "--framework", "jax", "--epochs", "1", *SMALL, "--out", "Läufe \N{SNOWMAN}")

    done = run(*arguments, folder=folder, PYTHONIOENCODING="ascii")

    assert done.returncode == 0, done.stderr
    assert "saved 'L" in done.stdout or "saved L\\xe4ufe" in done.stdout


def test_run_continues_when_its_reader_has_gone(folder: Path) -> None:
    """`train | head -1` trains to the end, and says on stderr that stdout is closed."""
    process = start("train", "--framework", "jax", "--epochs", "2", *SMALL, folder=folder)
    assert process.stdout is not None
    assert process.stderr is not None

    process.stdout.readline()
    process.stdout.close()
    with process.stderr:
        errors = process.stderr.read()

    assert process.wait(timeout=120) == 0, errors
    assert errors.count("stdout can't be written (Broken pipe): the run continues without it") == 1
    assert load_training_state(folder / "runs" / "jax" / STATE_FILE).finished


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_finished_run_survives_a_full_disk_behind_stdout(folder: Path) -> None:
    """Output that can't be written fails no run; the result is in the checkpoint."""
    arguments = ("train", "--framework", "jax", "--epochs", "1", *SMALL)

    status = os.system(
        f"cd {folder} && PYTHONPATH={Path(__file__).parents[3]} {sys.executable} -m training {' '.join(arguments)} "
        "> /dev/full 2> errors"
    )

    assert status == 0, (folder / "errors").read_text()
    assert "stdout can't be written (No space left on device)" in (folder / "errors").read_text()


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-"])
def test_run_without_standard_streams_trains_to_the_end(folder: Path, closed: str) -> None:
    """A caller that closes stdout or stderr, as some job schedulers do, loses no run."""
    arguments = ("train", "--framework", "jax", "--epochs", "1", *SMALL)

    status = os.system(
        f"cd {folder} && PYTHONPATH={Path(__file__).parents[3]} {sys.executable} -m training {' '.join(arguments)} "
        f"{closed}"
    )

    assert status == 0
    assert load_training_state(folder / "runs" / "jax" / STATE_FILE).finished
    assert len((folder / "runs" / "jax" / "metrics.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_evaluate_says_that_it_was_stopped(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    """Ctrl-C ends it with one word and a signal's exit status."""
    save_checkpoint(tmp_path / "model.safetensors", make_checkpoint(MODEL, make_weights(MODEL)))
    arguments = ("evaluate", "--checkpoint", "model.safetensors", "--framework", "pytorch", "--samples", "100000")
    process = start(*arguments, folder=tmp_path, KERAS_BACKEND="jax", TORCH_NAN="1")
    assert process.stderr is not None

    process.stderr.readline()  # the ignored variable: it has begun
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == code
    assert errors == "stopped\n"


@pytest.mark.parametrize(
    ("option", "suggestion"),
    [("--lr", "--learning-rate"), ("--batch", "--batch-size"), ("--epoch", "--epochs"), ("--latent", "--latent-dim")],
)
def test_unknown_option_is_answered_with_a_known_one(run_here, option: str, suggestion: str) -> None:
    """The error for an abbreviation or a typing error suggests the right option."""
    done = run_here("train", "--framework", "jax", option, "1")

    assert done.returncode == 2
    assert f"No such option: {option}" in done.stderr
    assert f"did you mean {suggestion}?" in done.stderr


@pytest.mark.parametrize("command", ["train", "evaluate", "compare"])
def test_help_names_the_aliases(run_here, command: str) -> None:
    """Each command that takes a framework lists the other names that it accepts."""
    done = run_here(command, "--help")

    assert "flax, tf, keras, torch" in done.stdout


@pytest.mark.parametrize("variable", ["OMP_NUM_THREADS", "NPROC"])
def test_resume_in_another_environment_warns(folder: Path, variable: str) -> None:
    """A changed number of threads is reported; without a change, there is no warning."""
    arguments = ("train", "--framework", "jax", "--epochs", "10000", *SMALL)
    process = start(*arguments, folder=folder, **{variable: "1"})
    assert process.stdout is not None
    for line in process.stdout:
        if "saved" in line:
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors

    resumed = start(*arguments, "--resume", folder=folder, **{variable: "2"})
    assert resumed.stderr is not None
    line = resumed.stderr.readline()
    resumed.kill()
    resumed.communicate()

    assert f"runs/jax: the environment has changed ({variable} 1 before, 2 now): the weights may differ" in line
