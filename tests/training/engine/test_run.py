"""A run from start to end in each framework: its epochs, its checkpoints, its figures."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.backends import Backend
from tests.support.models import numpy_reference
from tests.support.runs import first_of_mnist
from training.checkpoints.checkpoint import load_checkpoint
from training.config import ModelConfig, TrainConfig
from training.data import TEST_SEED, Dataset, binarize
from training.engine.evaluation import evaluate
from training.engine.initial_weights import draw_initial_weights
from training.engine.run import Run
from training.errors import ConfigError, DataError

MODEL = ModelConfig(hidden_dim=16, latent_dim=4)
CONFIG = TrainConfig(epochs=3, batch_size=64, learning_rate=1e-2, warmup_epochs=1)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """The first images of each part of MNIST."""
    return first_of_mnist(train=1000, others=200)


def test_run_learns_and_saves_what_it_measured(backend: Backend, dataset: Dataset, tmp_path: Path) -> None:
    """Every epoch is reported, the bound rises, and the file holds the weights that the test figure was measured on."""
    path = tmp_path / "model.safetensors"
    run = Run(backend.framework, MODEL, CONFIG, dataset, device="cpu")

    epochs = list(run.train(path, origin={"command": "this one"}))
    measured = run.test(path)

    saved = load_checkpoint(path)
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    assert epochs[-1].train_elbo > epochs[0].train_elbo + 50
    assert epochs[-1].validation_elbo > epochs[0].validation_elbo
    assert (saved.framework, saved.model) == (backend.framework, MODEL)
    assert saved.training["command"] == "this one"
    assert saved.training["batch_size"] == 64
    assert saved.metrics["test_target"] == "fixed"
    assert saved.metrics["test_elbo"] == measured.elbo
    assert saved.metrics["epochs"] == max(epochs, key=lambda epoch: epoch.validation_elbo).number
    images = binarize(dataset.test, target="fixed", seed=TEST_SEED).astype(np.float64)
    weights = {name: array.astype(np.float64) for name, array in saved.weights.items()}
    noise = np.random.default_rng(0).standard_normal((10, len(images), MODEL.latent_dim), dtype=np.float32)
    assert measured.elbo == pytest.approx(
        -np.mean([numpy_reference.loss(weights, images, eps) for eps in noise]), rel=1e-5
    )


def test_best_epoch_is_kept_when_later_ones_are_worse(
    backend: Backend, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is written at epochs that are the best so far, and left alone at the others."""
    path = tmp_path / "model.safetensors"
    run = Run(backend.framework, MODEL, CONFIG, dataset, device="cpu")
    trained = run.trainer.weights
    spoiled = {name: 0 * array for name, array in trained().items()}
    epochs = []

    for epoch in run.train(path, origin={}):
        epochs.append(epoch.best)
        if epoch.number == 1:
            content = path.read_bytes()
            monkeypatch.setattr(run.trainer, "weights", lambda: spoiled)

    assert epochs == [True, False, False]
    assert path.read_bytes() == content
    assert run.best is not None
    assert run.best.metrics["epochs"] == 1


def test_run_trains_on_all_images_but_those_held_out(dataset: Dataset, tmp_path: Path) -> None:
    """The config divides the data set, and the checkpoint's metadata has the number."""
    path = tmp_path / "model.safetensors"
    run = Run("jax", MODEL, replace(CONFIG, epochs=1, validation_images=50), dataset, device="cpu")

    list(run.train(path, origin={}))

    assert (len(run.dataset.train), len(run.dataset.validation), len(run.dataset.test)) == (1150, 50, 200)
    assert load_checkpoint(path).training["validation_images"] == 50


def test_run_starts_from_pytorchs_initialization_in_every_framework(backend: Backend, dataset: Dataset) -> None:
    """The weights, biases too, are uniform within 1 / sqrt(inputs), and the same in all three."""
    config = replace(CONFIG, initialization="pytorch")

    weights = Run(backend.framework, MODEL, config, dataset, device="cpu").trainer.weights()

    expected = draw_initial_weights(MODEL, config)
    assert expected is not None
    assert all(np.array_equal(weights[name], array) for name, array in expected.items())
    for layer, inputs in (("encoder.hidden", MODEL.image_dim), ("decoder.logits", MODEL.hidden_dim)):
        for name in (f"{layer}.kernel", f"{layer}.bias"):
            assert 0.3 / math.sqrt(inputs) < np.abs(weights[name]).max() <= 1 / math.sqrt(inputs)


def test_integers_are_taken_for_numbers_in_every_framework(backend: Backend, dataset: Dataset) -> None:
    """A config in Python may say 0 for 0.0, in each field that takes it, and trains."""
    config = replace(CONFIG, adam_b1=0, adam_b2=0, ema_decay=0, warmup_epochs=0)
    run = Run(backend.framework, MODEL, config, dataset, device="cpu")

    elbos, _ = run.trainer.train_epoch(np.zeros((2, CONFIG.batch_size), np.int32), seed=0)

    assert np.isfinite(elbos).all()


def test_run_is_refused_when_a_batch_holds_more_images_than_there_are(dataset: Dataset) -> None:
    """The message says how many there are and what to do, before a framework is loaded."""
    with pytest.raises(DataError, match=r"1000 training images: expected at least one batch of 2000; choose a smaller"):
        Run("jax", MODEL, TrainConfig(batch_size=2000), dataset, device="cpu")


def test_tf32_is_refused_on_a_cpu(dataset: Dataset) -> None:
    """A type that a CPU can't compute in is refused, not replaced by float32."""
    with pytest.raises(ConfigError, match="compute_dtype is 'tf32', which a CPU hasn't: expected float32 or bfloat16"):
        Run("pytorch", MODEL, replace(CONFIG, compute_dtype="tf32"), dataset, device="cpu")


def test_evaluation_is_the_mean_over_images_and_draws() -> None:
    """Log-likelihood and KL are averaged over every image and draw, the last short batch included."""

    class Counting:
        """Measures an image as its own first pixel."""

        def evaluate(self, weights: object, images: np.ndarray, eps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return -images[:, 0], np.full(len(images), 2.0) + 0 * eps[:, 0]

    images = np.arange(2500, dtype=np.float32).reshape(2500, 1)
    weights = {"encoder.mean.bias": np.zeros(3, np.float32)}

    measured = evaluate(Counting(), weights, images, draws=3)

    assert measured.log_likelihood == pytest.approx(-images.mean())
    assert measured.kl_divergence == pytest.approx(2)
    assert measured.elbo == pytest.approx(-images.mean() - 2)
    assert measured.elbo_standard_error == pytest.approx(images.std(ddof=1) / 50)


def test_model_larger_than_the_memory_is_refused(backend: Backend, dataset: Dataset) -> None:
    """A model that no machine can train is refused with its size, before anything is allocated."""
    huge = ModelConfig(image_shape=(4096, 4096), hidden_dim=65536, latent_dim=4096)

    with pytest.raises(ConfigError, match=r"training 2,\d{3},\d{3},\d{3},\d{3} weights .* fewer units"):
        Run(backend.framework, huge, CONFIG, dataset, device="cpu")


@pytest.mark.parametrize(
    ("model", "count", "needed"),
    [
        # 9 bytes for each of 100 images' pixels: levels, floats, and the trainer's floats.
        (ModelConfig(image_shape=(1024, 1024), hidden_dim=1, latent_dim=1), 100, "0.9"),
        # 18 copies of 827 million weights.
        (ModelConfig(image_shape=(14, 12), hidden_dim=65536, latent_dim=4096), 1, "55.5"),
    ],
)
def test_images_and_weights_are_counted_as_often_as_training_holds_them(
    monkeypatch: pytest.MonkeyPatch, model: ModelConfig, count: int, needed: str
) -> None:
    """The size of the training is compared to the memory before a framework is loaded."""
    monkeypatch.setattr("training.engine.run_checks.physical_memory", lambda: 2**29)
    images = {
        part: np.zeros((n, model.image_dim), np.uint8) for part, n in (("train", count), ("validation", 1), ("test", 1))
    }
    dataset = Dataset(name="blank", image_shape=model.image_shape, **images)

    with pytest.raises(ConfigError, match=f"takes at least {needed} GiB: expected at most the 0.5 GiB"):
        Run("jax", model, replace(CONFIG, batch_size=1), dataset, device="cpu")
