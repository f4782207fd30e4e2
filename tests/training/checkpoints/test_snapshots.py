"""Snapshots of a run: kept by each framework's run, resumed, read by epoch, and nearly as exact as the weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.app import CHECKOUT
from tests.support.backends import Backend
from tests.support.checkpoints import make_checkpoint
from tests.support.models import numpy_reference
from tests.support.runs import first_of_mnist
from training.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from training.checkpoints.model_files import ModelFile
from training.checkpoints.snapshots import Snapshot, list_snapshots, load_snapshot, write_snapshots
from training.commands.options.snapshots import SNAPSHOTS, parse_snapshots
from training.config import ModelConfig, TrainConfig
from training.data import TEST_SEED, Dataset, binarize
from training.engine.epoch import Epoch
from training.engine.resume_state import STATE_FILE, load_training_state
from training.engine.run import Run
from training.errors import CheckpointError, ConfigError
from training.frameworks import FRAMEWORKS

MODEL = ModelConfig(hidden_dim=16, latent_dim=4)
CONFIG = TrainConfig(epochs=3, batch_size=64, learning_rate=1e-2, warmup_epochs=1)

WANTED = (0, 2, 99)
"""Epochs of snapshots; the run ends before the last."""


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """The first images of each part of MNIST."""
    return first_of_mnist(train=500, others=100)


def place(folder: Path, backend: Backend) -> ModelFile:
    """Return the place of a run's model."""
    return ModelFile(folder, backend.framework)


def train(
    backend: Backend, dataset: Dataset, model: ModelFile, *, snapshots: tuple[int, ...], stop: int = CONFIG.epochs
) -> list[Epoch]:
    """Train up to an epoch, from the saved state if there is one; the last epoch ends with the test."""
    run = Run(backend.framework, MODEL, CONFIG, dataset, device="cpu")
    if (state := model.folder / STATE_FILE).exists():
        run.resume(load_training_state(state), model.path)
    epochs = []
    for epoch in run.train(model.path, origin={}, snapshots=snapshots):
        epochs.append(epoch)
        if epoch.number == stop:
            break
    if run.epoch == CONFIG.epochs:
        run.test(model.path)
    return epochs


@pytest.fixture(scope="module")
def whole(
    backend: Backend, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ModelFile, list[Epoch]]:
    """A model with its run's snapshots, and the epochs of the run."""
    model = place(tmp_path_factory.mktemp("whole"), backend)
    return model, train(backend, dataset, model, snapshots=WANTED)


def test_run_keeps_snapshots_with_their_figures(whole: tuple[ModelFile, list[Epoch]]) -> None:
    """Initial weights and chosen epochs are in the checkpoint's snapshots, each with the figure of its epoch."""
    model, epochs = whole

    checkpoint = load_checkpoint(model.path)
    elbos = list_snapshots(model, checkpoint_id=str(checkpoint.sha256)[:12])
    first = load_snapshot(model, checkpoint, 0)
    assert list(elbos) == [0, 2]
    assert elbos[2] == epochs[1].validation_elbo
    assert elbos[0] < elbos[2] - 50
    assert first.metrics == {"epochs": 0, "validation_elbo": elbos[0]}
    assert not first.weights["decoder.logits.bias"].any()
    assert first.weights["encoder.hidden.kernel"].any()


def test_resumed_run_keeps_the_snapshots_of_before(
    backend: Backend, dataset: Dataset, whole: tuple[ModelFile, list[Epoch]], tmp_path: Path
) -> None:
    """Cut off before and after a snapshot, and resumed, a run has the snapshots of a run that wasn't."""
    cut = place(tmp_path, backend)

    for stop in (1, 2, CONFIG.epochs):
        train(backend, dataset, cut, snapshots=WANTED, stop=stop)

    for epoch in (0, 2):
        expected, resumed = (load_snapshot(model, load_checkpoint(model.path), epoch) for model in (whole[0], cut))
        for name, array in expected.weights.items():
            np.testing.assert_array_equal(array, resumed.weights[name])


def test_run_without_snapshots_deletes_those_of_an_earlier_one(dataset: Dataset, tmp_path: Path) -> None:
    """A new run in the folder leaves nothing of the old one."""
    backend = Backend("pytorch")
    model = place(tmp_path, backend)
    model.folder.mkdir()
    model.snapshots.write_bytes(b"of an earlier run")

    train(backend, dataset, model, snapshots=(), stop=1)

    assert not model.snapshots.exists()


@pytest.fixture
def model(tmp_path: Path) -> ModelFile:
    """A checkpoint with snapshots of epochs 0 and 5."""
    model = ModelFile(tmp_path, "jax")
    saved = make_checkpoint()
    snapshots = {epoch: Snapshot(saved.weights, -100.0 - epoch) for epoch in (0, 5)}
    checkpoint = save_checkpoint(model.path, saved)
    write_snapshots(model.snapshots, saved.model, snapshots, checkpoint_id=str(checkpoint.sha256)[:12])
    return model


def test_unknown_epoch_names_those_that_there_are(model: ModelFile) -> None:
    """The message lists the epochs of the snapshots."""
    with pytest.raises(CheckpointError, match=r"no snapshot of epoch 3: it has those of epochs 0, 5"):
        load_snapshot(model, load_checkpoint(model.path), 3)


@pytest.mark.parametrize("change", ["missing", "damaged", "another's"])
def test_snapshots_of_no_use_are_none(model: ModelFile, change: str) -> None:
    """A missing or damaged file, or one of another checkpoint, is no error: there are no snapshots."""
    checkpoint_id = str(load_checkpoint(model.path).sha256)[:12]
    if change == "missing":
        model.snapshots.unlink()
    if change == "damaged":
        model.snapshots.write_bytes(model.snapshots.read_bytes()[:50])

    elbos = list_snapshots(model, checkpoint_id="abc" if change == "another's" else checkpoint_id)

    assert elbos == {}


def test_cut_file_is_an_error_when_a_snapshot_is_loaded(model: ModelFile) -> None:
    """A file with a whole header and half its numbers isn't served."""
    model.snapshots.write_bytes(model.snapshots.read_bytes()[:-100])

    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        load_snapshot(model, load_checkpoint(model.path), 5)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_half_precision_costs_little(framework: str, tmp_path: Path) -> None:
    """The bundled weights in half precision have the ELBO of the exact ones, within 0.01 nats."""
    checkpoint = load_checkpoint(CHECKOUT / "checkpoints" / framework / "model.safetensors")
    images = binarize(first_of_mnist(train=1, others=200).test, target="fixed", seed=TEST_SEED).astype(np.float64)
    eps = np.random.default_rng(0).standard_normal((len(images), checkpoint.model.latent_dim))
    model = ModelFile(tmp_path, framework)
    write_snapshots(model.snapshots, checkpoint.model, {1: Snapshot(checkpoint.weights, -1.0)}, checkpoint_id="abc")
    halved = load_snapshot(model, replace(checkpoint, sha256="abc"), 1)

    losses = [
        numpy_reference.loss({name: array.astype(np.float64) for name, array in version.weights.items()}, images, eps)
        for version in (checkpoint, halved)
    ]
    assert abs(np.mean(losses[0]) - np.mean(losses[1])) < 0.01


def test_option_lists_epochs() -> None:
    """The default is parsed, empty is none, and anything else is refused with an example."""
    assert parse_snapshots(SNAPSHOTS) == [0, 1, 2, 5, 25]
    assert parse_snapshots(" ") == []
    assert parse_snapshots("5, 0,5") == [0, 5]
    for text in ("last", "1,,2", "-1", "1.5", "²"):
        with pytest.raises(ConfigError, match="--snapshots"):
            parse_snapshots(text)
