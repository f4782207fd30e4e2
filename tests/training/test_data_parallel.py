"""Training on several devices: the CPU, divided in two, gives what it gives undivided."""

import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

from tests.support.backends import Backend, paired_arrays
from tests.support.cli import SMALL, run, write_images
from tests.support.live_service import CHECKOUT
from tests.support.models.two_devices import RUNS, STEPS
from tests.support.runs import first_of_mnist
from training.checkpoints.checkpoint import load_checkpoint
from training.config import ModelConfig, TrainConfig
from training.data import binarize, load_dataset
from training.engine.run import Run
from training.errors import ConfigError, DeviceError
from training.frameworks import FRAMEWORKS, trainable_frameworks

MODEL = ModelConfig(hidden_dim=16, latent_dim=4)


@pytest.fixture(scope="module", params=trainable_frameworks())
def runs(request, tmp_path_factory):
    """The figures and the last state of each run of a framework, by its name."""
    folder = tmp_path_factory.mktemp(request.param)
    command = [sys.executable, "-m", "tests.support.models.two_devices", request.param, str(folder)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return {name: dict(np.load(folder / f"{name}.npz")) for name in RUNS}


@pytest.fixture
def images():
    """Training digits, in gray."""
    return binarize(load_dataset("mnist").train[:512], target="dynamic", seed=0)


@pytest.mark.parametrize(("steps", "tolerance"), [(5, 1e-6), (STEPS, 1e-5)])
def test_two_devices_report_the_figures_of_one(runs, steps, tolerance):
    """ELBO and KL of each batch are those of one device, but for the order of float32 sums."""
    expected, changed = (runs[name]["figures"][:steps] for name in ("one", "changed"))

    np.testing.assert_allclose(changed, expected, rtol=tolerance)


def test_run_resumes_with_another_number_of_devices(runs):
    """Resumed on one device and again on two, a run ends with the figures, steps and weights of one device."""
    expected, changed = runs["one"], runs["changed"]

    assert changed["step"] == expected["step"] == 3 * STEPS
    np.testing.assert_allclose(changed["figures"], expected["figures"], rtol=1e-5)
    for key in expected:
        if key.startswith(("weights", "moments")):
            # Adam divides by the size of the gradient: where that is rounding alone, so is the direction of the step.
            assert abs(changed[key] - expected[key]).mean() < 1e-4 * abs(expected[key]).mean() + 1e-9, key


def test_checkpoint_names_the_number_of_devices(runs):
    """The metadata has the devices of the epoch that the weights are from."""
    assert [int(runs[name]["devices"]) for name in ("one", "changed")] == [1, 2]


@pytest.mark.parametrize("framework", trainable_frameworks())
def test_one_device_changes_no_bit(framework, images):
    """A trainer of one device ends as the functions of the step do by themselves, bit for bit."""
    config = TrainConfig(epochs=2, batch_size=64, warmup_epochs=0)
    order = np.arange(512, dtype=np.int32).reshape(8, 64)
    train = Backend(framework).module("train")
    trainer = train.Trainer(MODEL, config, images, device="cpu", devices=1)
    other = train.Trainer(MODEL, config, images, device="cpu")
    other._state = state = train.create_train_state(MODEL, config, steps_per_epoch=8)

    elbos, kls = trainer.train_epoch(order, seed=3)
    match framework:
        case "jax":
            other._state, *expected = train.train_epoch(
                state, *map(import_module("jax.numpy").array, (images, order)), 3
            )
        case "tensorflow":
            expected = train.train_epoch(state, *map(import_module("tensorflow").constant, (images, order, 3)))
        case "pytorch":
            expected = train.train_epoch(state, *map(import_module("torch").tensor, (images, order)), 3)

    for actual, array in zip((elbos, kls), expected, strict=True):
        np.testing.assert_array_equal(actual, np.asarray(array))
    for _, actual, array in paired_arrays(trainer.state(), other.state()):
        np.testing.assert_array_equal(actual, array)


def test_batch_must_be_divisible(images):
    """A batch that can't be divided equally is refused before any framework is imported."""
    dataset = first_of_mnist(train=100, others=10)

    with pytest.raises(ConfigError, match="batch_size is 50: expected a multiple of the 3 devices"):
        Run("no framework", MODEL, TrainConfig(batch_size=50), dataset, device="cpu", devices=3)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_more_devices_than_there_are_is_an_error(framework, images):
    """GPUs that aren't there are named with their number."""
    config = TrainConfig(batch_size=64)

    with pytest.raises(DeviceError, match="device cuda: .* sees no GPU"):
        Backend(framework).module("train").Trainer(MODEL, config, images, device="cuda", devices=2)


def test_process_that_ends_is_an_error_and_not_a_hang(images):
    """PyTorch's further devices are processes: without one, the epoch fails with a sentence."""
    config = TrainConfig(epochs=2, batch_size=64)
    order = np.arange(512, dtype=np.int32).reshape(8, 64)
    trainer = Backend("pytorch").module("train").Trainer(MODEL, config, images, device="cpu", devices=2)
    trainer.train_epoch(order, seed=0)
    worker, _ = trainer._workers._workers[0]
    worker.kill()
    worker.join()

    with pytest.raises(DeviceError, match="device 2 of 2: its process ended with exit code -9"):
        trainer.train_epoch(order, seed=1)


def test_command_trains_on_two_devices(tmp_path):
    """`--devices 2` is shown and recorded."""
    write_images(tmp_path)
    arguments = ("train", "--framework", "pytorch", *SMALL, "--epochs", "1", "--out", "o", "--device", "cpu")

    done = run(*arguments, "--devices", "2", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "on 2 devices (cpu): 1 epoch of" in done.stdout
    assert load_checkpoint(tmp_path / "o" / "pytorch" / "model.safetensors").training["devices"] == 2
