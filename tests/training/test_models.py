"""The model of each framework, against the model in NumPy: outputs, gradients, initial weights."""

import numpy as np
import pytest

from tests.support.backends import Backend
from tests.support.checkpoints import make_weights
from tests.support.models import numpy_reference
from training.checkpoints.checkpoint import WEIGHT_NAMES, Weights
from training.config import ModelConfig, TrainConfig

SMALL = ModelConfig(image_shape=(4, 3), hidden_dim=8, latent_dim=2)


def draw_batch(config: ModelConfig, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return binary images and noise."""
    random = np.random.default_rng(2)
    return (random.random((n, config.image_dim)) < 0.5).astype(float), random.normal(size=(n, config.latent_dim))


def as_float64(weights: Weights) -> dict[str, np.ndarray]:
    """Return the weights for the reference."""
    return {name: array.astype(np.float64) for name, array in weights.items()}


def test_reference_gradients_agree_with_finite_differences() -> None:
    """The oracle itself is right: moving any weight moves its loss as its gradients say."""
    weights = as_float64(make_weights(SMALL))
    images, eps = draw_batch(SMALL, 5)
    random = np.random.default_rng(3)

    gradients = numpy_reference.gradients(weights, images, eps)

    for name in WEIGHT_NAMES:
        index = tuple(random.integers(weights[name].shape))
        step = np.zeros_like(weights[name])
        step[index] = 1e-6
        above = numpy_reference.loss(weights | {name: weights[name] + step}, images, eps)
        below = numpy_reference.loss(weights | {name: weights[name] - step}, images, eps)
        assert gradients[name][index] == pytest.approx((above - below) / 2e-6, abs=1e-6), name


@pytest.mark.parametrize("config", [SMALL, ModelConfig()], ids=["small", "mnist"])
def test_loss_and_gradients_agree_with_the_reference(backend: Backend, config: ModelConfig) -> None:
    """The loss of a batch and its derivative by every weight are those of the closed form."""
    weights = {name: array * np.float32(0.1) for name, array in make_weights(config).items()}
    images, eps = draw_batch(config, 5)

    loss, gradients = backend.loss_and_gradients(config, weights, images, eps)

    expected = numpy_reference.gradients(as_float64(weights), images, eps)
    assert loss == pytest.approx(numpy_reference.loss(as_float64(weights), images, eps), rel=1e-5)
    assert set(gradients) == set(WEIGHT_NAMES)
    for name in WEIGHT_NAMES:
        # Sums of up to 784 float32 products: their rounding is relative to the largest of them.
        np.testing.assert_allclose(
            gradients[name], expected[name], rtol=1e-4, atol=1e-5 * abs(expected[name]).max(), err_msg=name
        )


def test_reparameterize_gives_mean_plus_scaled_noise(backend: Backend) -> None:
    """z = mean + eps * exp(logvar / 2): logvar is of the variance, not of the deviation."""
    reparameterize = backend.module("model").reparameterize

    z = backend.call(reparameterize, [[1.0, -1.0]], [[0.0, np.log(4)]], [[0.5, 3.0]])

    np.testing.assert_allclose(z, [[1.5, 5.0]], rtol=1e-6)


def test_initial_weights_are_glorot_uniform_and_biases_zero(backend: Backend) -> None:
    """Every kernel fills +-sqrt(6 / (inputs + outputs)) evenly, and every bias is 0, whatever a framework prefers."""
    train = backend.module("train")

    weights = train.Trainer(ModelConfig(), TrainConfig(), np.zeros((256, 784), np.float32), device="cpu").weights()

    assert set(weights) == set(WEIGHT_NAMES)
    for name, array in weights.items():
        if name.endswith(".bias"):
            assert not array.any(), name
            continue
        limit = np.sqrt(6 / sum(array.shape))
        assert abs(array).max() <= limit, name
        assert abs(array).max() > 0.99 * limit, name
        assert array.std() == pytest.approx(limit / np.sqrt(3), rel=0.02), name
        assert abs(array.mean()) < 0.02 * limit, name


def test_initial_weights_follow_the_seed(backend: Backend) -> None:
    """The same seed gives the same weights, another seed gives others, and no two kernels are alike."""
    train = backend.module("train")
    images = np.zeros((256, 784), np.float32)

    first, again, other = (
        train.Trainer(ModelConfig(), TrainConfig(seed=seed), images, device="cpu").weights() for seed in (1, 1, 2)
    )

    for name in WEIGHT_NAMES:
        np.testing.assert_array_equal(first[name], again[name])
    assert not np.array_equal(first["encoder.hidden.kernel"], other["encoder.hidden.kernel"])
    assert not np.array_equal(first["encoder.mean.kernel"], first["encoder.logvar.kernel"])


def test_weights_survive_the_round_trip(backend: Backend) -> None:
    """Canonical weights come back from a framework's own form bit for bit, and the caller's are not touched."""
    convert = backend.module("weights")
    weights = make_weights(SMALL)
    before = {name: array.copy() for name, array in weights.items()}

    exported_weights = convert.export_weights(convert.import_weights(weights))

    assert set(exported_weights) == set(WEIGHT_NAMES)
    for name in WEIGHT_NAMES:
        np.testing.assert_array_equal(exported_weights[name], before[name])
        np.testing.assert_array_equal(weights[name], before[name])
