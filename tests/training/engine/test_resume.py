"""A run that goes on from its state, in each framework: where it was, bit for bit, whenever it was cut off."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.backends import Backend
from tests.support.runs import first_of_mnist
from training.checkpoints.checkpoint import Weights, load_checkpoint, save_checkpoint
from training.config import ModelConfig, TrainConfig
from training.data import Dataset
from training.engine import run as run_module
from training.engine.resume_state import STATE_FILE, load_training_state
from training.engine.run import Run
from training.errors import CheckpointError, DataError, DivergenceError

MODEL = ModelConfig(hidden_dim=16, latent_dim=4)
CONFIG = TrainConfig(epochs=4, batch_size=64, learning_rate=1e-2, warmup_epochs=1)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """The first images of each part of MNIST."""
    return first_of_mnist(train=500, others=100)


@pytest.fixture(scope="module")
def expected(backend: Backend, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """The weights of a run that nothing cut off."""
    path = tmp_path_factory.mktemp("whole") / "model.safetensors"
    list(Run(backend.framework, MODEL, CONFIG, dataset, device="cpu").train(path, origin={}))
    return load_checkpoint(path).weights


def run_until(backend: Backend, dataset: Dataset, path: Path, *, epochs: int) -> Run:
    """Train some epochs, from the state in the folder if there is one, and leave it at that."""
    run = Run(backend.framework, MODEL, CONFIG, dataset, device="cpu")
    state = path.with_name(STATE_FILE)
    if state.exists():
        run.resume(load_training_state(state), path)
    if epochs > run.epoch:
        for epoch in run.train(path, origin={}):
            if epoch.number == epochs:
                break
    return run


def test_resumed_run_ends_as_if_nothing_had_happened(
    backend: Backend, dataset: Dataset, expected: Weights, tmp_path: Path
) -> None:
    """Cut off after its first epoch and after its last, a run's best weights are those of a run that wasn't."""
    path = tmp_path / "model.safetensors"
    for stop in (1, CONFIG.epochs, CONFIG.epochs):
        run = run_until(backend, dataset, path, epochs=stop)

    run.test(path)
    run.finish(path)

    saved = load_checkpoint(path)
    for name, array in expected.items():
        np.testing.assert_array_equal(saved.weights[name], array)
    assert "test_elbo" in saved.metrics
    assert load_training_state(path.with_name(STATE_FILE)).finished


def test_run_killed_between_its_two_files_ends_the_same(
    backend: Backend, dataset: Dataset, expected: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an epoch's checkpoint written and its state not, that epoch comes again."""
    path = tmp_path / "model.safetensors"
    run_until(backend, dataset, path, epochs=1)
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "save_training_state", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_until(backend, dataset, path, epochs=2)
    assert load_checkpoint(path).metrics["epochs"] == 2
    assert load_training_state(path.with_name(STATE_FILE)).epoch == 1

    run_until(backend, dataset, path, epochs=CONFIG.epochs)

    for name, array in expected.items():
        np.testing.assert_array_equal(load_checkpoint(path).weights[name], array)


def test_run_killed_in_its_first_epoch_resumes_itself_and_not_what_was_there_before(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new run takes the folder over before its first epoch."""
    path = tmp_path / "model.safetensors"
    backend = Backend("pytorch")
    run_until(backend, dataset, path, epochs=2)
    run = Run("pytorch", MODEL, replace(CONFIG, seed=9), dataset, device="cpu")
    monkeypatch.setattr(run.trainer, "train_epoch", _interrupt)

    with pytest.raises(KeyboardInterrupt):
        next(run.train(path, origin={}))

    state = load_training_state(path.with_name(STATE_FILE))
    assert (state.epoch, state.config.seed, state.best) == (0, 9, {})


def test_time_of_all_parts_is_counted(dataset: Dataset, tmp_path: Path) -> None:
    """A resumed run's seconds include those before it was cut off."""
    path = tmp_path / "model.safetensors"
    run_until(Backend("pytorch"), dataset, path, epochs=1)
    state = load_training_state(path.with_name(STATE_FILE))
    run = Run("pytorch", MODEL, CONFIG, dataset, device="cpu")
    run.resume(replace(state, seconds=1000.0), path)
    list(run.train(path, origin={}))

    run.test(path)

    assert run.best is not None
    assert 1000 < run.best.metrics["seconds"] < 1100


def test_resume_is_refused_when_the_images_are_others(dataset: Dataset, tmp_path: Path) -> None:
    """One pixel is enough."""
    path = tmp_path / "model.safetensors"
    run_until(Backend("pytorch"), dataset, path, epochs=1)
    train = dataset.train.copy()
    train[0, 0] += 1

    with pytest.raises(DataError, match="mnist: expected the images that the run began with, found others"):
        run_until(Backend("pytorch"), replace(dataset, train=train), path, epochs=2)


def test_resume_is_refused_when_the_best_checkpoint_is_anothers(dataset: Dataset, tmp_path: Path) -> None:
    """A model file that was exchanged meanwhile isn't taken for the run's."""
    path = tmp_path / "model.safetensors"
    run = run_until(Backend("pytorch"), dataset, path, epochs=1)
    assert run.best is not None
    save_checkpoint(path, replace(run.best, metrics=run.best.metrics | {"validation_elbo": -1.0}))

    with pytest.raises(CheckpointError, match="model.safetensors: expected the run's best epoch so far, 1, found"):
        run_until(Backend("pytorch"), dataset, path, epochs=2)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "there is no such file; it holds the best epoch so far"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "not a whole safetensors file: .*"),
    ],
)
def test_resume_is_refused_when_the_best_checkpoint_is_damaged(
    dataset: Dataset, tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    """The message says what to do with the run that it belongs to, and nothing else."""
    path = tmp_path / "model.safetensors"
    run_until(Backend("pytorch"), dataset, path, epochs=1)
    damage(path)

    with pytest.raises(CheckpointError, match=f"{message}; restore it, or start again with --overwrite$") as caught:
        run_until(Backend("pytorch"), dataset, path, epochs=2)

    assert "train it again" not in str(caught.value)


def test_leftovers_of_a_kill_are_removed(dataset: Dataset, tmp_path: Path) -> None:
    """Resuming removes partially written files; other files stay."""
    path = tmp_path / "model.safetensors"
    leftovers = [tmp_path / ".model.safetensors.abc", tmp_path / ".state.safetensors.def"]
    for file in [*leftovers, tmp_path / "notes.txt"]:
        file.write_text("half")

    run_until(Backend("pytorch"), dataset, path, epochs=1)

    assert {file.name for file in tmp_path.iterdir()} == {"model.safetensors", "state.safetensors", "notes.txt"}


def test_run_stops_at_a_loss_that_is_no_number(backend: Backend, dataset: Dataset, tmp_path: Path) -> None:
    """The message has epoch and batch, and both files are those of the epoch before."""
    path = tmp_path / "model.safetensors"
    run = Run(backend.framework, MODEL, CONFIG, dataset, device="cpu")
    epochs = run.train(path, origin={})
    next(epochs)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    state = run.trainer.state()
    weights = {**state.weights, "decoder.logits.bias": state.weights["decoder.logits.bias"] * np.float32(np.nan)}
    run.trainer.restore(replace(state, weights=weights))

    with pytest.raises(DivergenceError, match="epoch 2, batch 1 of 7: the loss is nan; start again with a lower"):
        next(epochs)

    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_divergence_names_the_first_bad_batch(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    """Infinite is as bad as NaN."""
    run = Run("pytorch", MODEL, CONFIG, dataset, device="cpu")
    elbos = np.array([-100, -90, value, -80, value], np.float32)
    monkeypatch.setattr(run.trainer, "train_epoch", lambda *_, **__: (elbos, np.ones(5, np.float32)))

    with pytest.raises(DivergenceError, match=f"epoch 1, batch 3 of 5: the loss is {-value}; "):
        next(run.train(tmp_path / "model.safetensors", origin={}))


def test_divergence_is_seen_in_validation_too(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights that the last step ruined show in no batch's loss."""
    run = Run("pytorch", MODEL, CONFIG, dataset, device="cpu")
    ruined = {name: array * np.float32(np.nan) for name, array in run.trainer.weights().items()}
    monkeypatch.setattr(run.trainer, "weights", lambda: ruined)

    with pytest.raises(DivergenceError, match="epoch 1: the validation loss is nan"):
        next(run.train(tmp_path / "model.safetensors", origin={}))

    assert not (tmp_path / "model.safetensors").exists()


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
