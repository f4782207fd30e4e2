"""The training step of each framework, and all three against each other."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from tests.support.backends import Backend, paired_arrays
from training.checkpoints.checkpoint import WEIGHT_NAMES, Weights, weight_shapes
from training.config import ModelConfig, TrainConfig
from training.data import binarize, load_dataset
from training.engine.trainer import Trainer
from training.frameworks import FRAMEWORKS

STEPS = 25


def train(backend: Backend, weights: Weights, batches: np.ndarray, noise: np.ndarray) -> tuple[list[float], Weights]:
    """Return the loss of each step from the given weights, on the given images and noise, and the averaged weights."""
    module, convert = backend.module("train"), backend.module("weights")
    state = module.create_train_state(ModelConfig(), TrainConfig(epochs=1), steps_per_epoch=STEPS, weights=weights)
    losses = []
    for images, eps in zip(batches, noise, strict=True):
        result = module.train_step(state, backend.array(images), backend.array(eps))
        if backend.framework == "jax":  # a new state; the other two change theirs
            state, *result = result
        losses.append(-float(result[0]))
    match backend.framework:
        case "jax":
            params = state.ema_params
        case "tensorflow":
            params = state.ema_model.get_weights()
        case _:
            params = state.ema_model.state_dict()
    return losses, convert.export_weights(params)


@pytest.fixture(scope="module")
def runs() -> dict[str, tuple[list[float], Weights]]:
    """The same start, batches and noise through the three frameworks."""
    config = ModelConfig()
    nothing = np.zeros((256, config.image_dim), np.float32)
    start = Backend("jax").module("train").Trainer(config, TrainConfig(), nothing, device="cpu")
    random = np.random.default_rng(0)
    images = binarize(load_dataset("mnist").validation[: STEPS * 128], target="fixed", seed=0)
    noise = random.normal(size=(STEPS, 128, config.latent_dim))
    weights = start.weights()
    return {name: train(Backend(name), weights, images.reshape(STEPS, 128, -1), noise) for name in FRAMEWORKS}


@pytest.mark.parametrize("framework", ["jax", "pytorch"])
def test_pixels_are_drawn_as_often_as_their_intensity_says(framework):
    """Over 20,000 draws of each of MNIST's 256 intensities, the ones lie within 5 standard errors, the ends exactly.

    An odd width leaves bits over; no two columns share theirs, neighbors as little as those half a row apart.
    """
    backend = Backend(framework)
    intensities = np.append(np.arange(256, dtype=np.float32) / 255, np.float32(1))
    probs = backend.array(np.tile(intensities, (20_000, 1)))

    drawn = np.asarray(_draw(backend, probs))

    assert set(np.unique(drawn)) == {0.0, 1.0}
    errors = np.sqrt(intensities * (1 - intensities) / 20_000)
    assert (np.abs(drawn.mean(axis=0, dtype=np.float64) - intensities) <= 5 * errors).all()
    for other in (101, 100 + 129):
        assert abs(np.corrcoef(drawn[:, 100], drawn[:, other])[0, 1]) < 5 / np.sqrt(20_000)


@pytest.mark.parametrize("framework", list(FRAMEWORKS)[1:])
def test_losses_agree_over_25_steps_when_start_batches_and_noise_are_the_same(
    runs: dict[str, tuple[list[float], Weights]], framework: str
) -> None:
    """Each of 25 losses is JAX's within 1e-5 of it: room for the order of float32 sums, not for another formula."""
    expected, _ = runs["jax"]

    losses, _ = runs[framework]

    assert expected[-1] < 0.6 * expected[0], "the steps must have learned something to compare"
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


@pytest.mark.parametrize("framework", list(FRAMEWORKS)[1:])
def test_averaged_weights_agree_after_25_steps(runs: dict[str, tuple[list[float], Weights]], framework: str) -> None:
    """The moving averages, and so schedule and optimizer, agree: to 1 % of how far a weight has moved."""
    _, expected = runs["jax"]

    _, weights = runs[framework]

    for name in WEIGHT_NAMES:
        # Adam divides by the size of the gradient: where that is rounding alone, so is the direction of the step.
        differences = abs(weights[name] - expected[name])
        assert np.mean(differences) < 1e-5, name
        assert np.quantile(differences, 0.999) < 1e-4, name


def test_one_batch_is_learned_by_heart(backend: Backend) -> None:
    """Trained on the same 32 images over and over, the loss falls far below what any other images get."""
    images = binarize(load_dataset("mnist").train[:32], target="threshold", seed=0)
    config = TrainConfig(epochs=300, batch_size=32, learning_rate=3e-3, warmup_epochs=0, ema_decay=0.9)
    trainer = backend.module("train").Trainer(ModelConfig(), config, images, device="cpu")
    order = np.arange(32, dtype=np.int32).reshape(1, 32)

    first, _ = trainer.train_epoch(order, seed=0)
    elbos = [trainer.train_epoch(order, seed=seed)[0] for seed in range(1, 300)]

    assert -first[0] > 500
    assert -np.mean(elbos[-20:]) < 45


def test_bfloat16_rounds_products_and_nothing_else(backend: Backend) -> None:
    """The loss is float32's within what eight bits of mantissa allow, and not the same; weights stay in float32."""
    images = binarize(load_dataset("mnist").validation[:256], target="fixed", seed=0)
    order = np.arange(256, dtype=np.int32).reshape(1, 256)
    start = Backend("jax").module("train").Trainer(ModelConfig(), TrainConfig(), images, device="cpu").weights()

    def train(dtype: str) -> tuple[float, Weights]:
        config = TrainConfig(epochs=1, compute_dtype=dtype)
        trainer = backend.module("train").Trainer(ModelConfig(), config, images, device="cpu", weights=start)
        elbos, _ = trainer.train_epoch(order, seed=0)
        return float(elbos[0]), trainer.weights()

    full, _ = train("float32")
    half, weights = train("bfloat16")

    assert half != full
    assert half == pytest.approx(full, rel=2e-3)
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float32)}
    # Written in bfloat16, a float32 has nothing in its last 16 bits.
    assert any((array.view(np.uint32) & 0xFFFF).any() for array in weights.values())


def test_epoch_draws_gray_pixels_anew_and_leaves_binary_ones(backend: Backend) -> None:
    """Pixels of 0 and 1 are trained on as they are; those of 0.5 are each time another draw of zeros and ones."""
    config = ModelConfig(image_shape=(2, 2), hidden_dim=4, latent_dim=2)
    weights = {name: np.zeros(shape, np.float32) for name, shape in weight_shapes(config).items()}
    weights["decoder.logits.bias"] += 10  # a pixel costs 10 if it is 0, and next to nothing if it is 1
    binary = np.array([[0, 1, 0, 1]] * 512, np.float32)
    gray = np.full_like(binary, 0.5)
    train = backend.module("train")

    options = TrainConfig(epochs=1, batch_size=512)
    trainer = train.Trainer(config, options, np.concatenate([binary, gray]), device="cpu", weights=weights)
    start = trainer.state()

    def loss(first: int, seed: int) -> float:
        trainer.restore(start)
        elbos, _ = trainer.train_epoch(np.arange(first, first + 512, dtype=np.int32).reshape(1, 512), seed=seed)
        return -float(elbos[0])

    drawn = loss(512, 0)

    assert loss(0, 0) == loss(0, 1) == pytest.approx(20, abs=1e-3)
    assert drawn != loss(512, 1)
    assert drawn == pytest.approx(20, abs=2)
    assert abs(drawn - 20) > 1e-2


def test_training_is_repeated_exactly_when_the_seed_is_the_same(backend: Backend) -> None:
    """Two runs of the same seed end with the same weights, bit for bit, and another noise seed with others."""
    images = binarize(load_dataset("mnist").train[:512], target="dynamic", seed=0)
    order = np.arange(512, dtype=np.int32).reshape(4, 128)
    train = backend.module("train")

    def run(trainer: Trainer, seed: int) -> Weights:
        trainer.train_epoch(order, seed=seed)
        return trainer.weights()

    first_trainer, second_trainer = (
        train.Trainer(ModelConfig(), TrainConfig(epochs=2, batch_size=128), images, device="cpu") for _ in range(2)
    )
    start = first_trainer.state()
    first, again = run(first_trainer, 1), run(second_trainer, 1)
    first_trainer.restore(start)
    other = run(first_trainer, 2)

    for name in WEIGHT_NAMES:
        np.testing.assert_array_equal(first[name], again[name])
    assert not np.array_equal(first["decoder.logits.bias"], other["decoder.logits.bias"])


def test_epoch_returns_the_figures_of_each_batch(backend: Backend) -> None:
    """One ELBO and one KL a step, in the order of the steps: a batch of white images stands out among black ones."""
    config = ModelConfig(image_shape=(2, 2), hidden_dim=4, latent_dim=2)
    weights = {name: np.zeros(shape, np.float32) for name, shape in weight_shapes(config).items()}
    weights["decoder.logits.bias"] -= 10  # a pixel costs 10 if it is 1, and next to nothing if it is 0
    images = np.zeros((512, 4), np.float32)
    images[256:384] = 1
    options = TrainConfig(epochs=1, batch_size=128, learning_rate=1e-9)
    trainer = backend.module("train").Trainer(config, options, images, device="cpu", weights=weights)

    elbos, kls = trainer.train_epoch(np.arange(512, dtype=np.int32).reshape(4, 128), seed=0)

    np.testing.assert_allclose(elbos, [0, 0, -40, 0], atol=1e-2)
    np.testing.assert_allclose(kls, [0, 0, 0, 0], atol=1e-2)


def test_restored_trainer_goes_on_bit_for_bit(backend: Backend) -> None:
    """A new trainer given another's state ends with the same state, whether or not that had taken a step."""
    images = binarize(load_dataset("mnist").train[:512], target="dynamic", seed=0)
    order = np.arange(512, dtype=np.int32).reshape(4, 128)
    model, config = ModelConfig(hidden_dim=8, latent_dim=2), TrainConfig(epochs=3, batch_size=128, warmup_epochs=1)
    first, *others = (
        backend.module("train").Trainer(model, replace(config, seed=seed), images, device="cpu") for seed in range(3)
    )
    states = [first.state()]
    for epoch in range(3):
        first.train_epoch(order, seed=epoch)
        states.append(first.state())

    for epochs, other in enumerate(others):
        other.restore(states[epochs])
        for epoch in range(epochs, 3):
            other.train_epoch(order, seed=epoch)

    for other in others:
        assert other.state().step == states[-1].step == 12
        for _, expected, actual in paired_arrays(states[-1], other.state()):
            np.testing.assert_array_equal(actual, expected)


def _draw(backend, probs):
    random = {
        "jax": lambda: import_module("jax").random.key(0),
        "tensorflow": lambda: [0, 0],
        "pytorch": lambda: import_module("torch").Generator().manual_seed(0),
    }
    return backend.module("sampling").bernoulli(random[backend.framework](), probs)
