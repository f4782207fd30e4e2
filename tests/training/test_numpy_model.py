"""The model in NumPy against the oracle in float64."""

import numpy as np

from tests.support.checkpoints import MODEL, make_weights
from tests.support.models import numpy_reference
from training import numpy_model


def test_numpy_model_is_the_oracles():
    """Mean, logvar and logits are the oracle's within float32."""
    generator = np.random.default_rng(1)
    weights = make_weights()
    images = generator.random((7, MODEL.image_dim), dtype=np.float32)
    eps = generator.standard_normal((7, MODEL.latent_dim), dtype=np.float32)

    mean, logvar = numpy_model.encode(weights, images)
    logits = numpy_model.decode(weights, mean + eps * np.exp(logvar / 2))

    expected = numpy_reference.forward({name: array.astype(np.float64) for name, array in weights.items()}, images, eps)
    np.testing.assert_allclose(mean, expected["mean"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(logvar, expected["logvar"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(logits, expected["logits"], rtol=1e-4, atol=1e-5)


def test_kl_by_dimension_adds_up_to_the_kl():
    """The parts of each image's dimensions add up to the oracle's KL of that image, and none is negative."""
    generator = np.random.default_rng(2)
    mean, logvar = generator.standard_normal((2, 50, 4), dtype=np.float32)

    divergences = numpy_model.kl_by_dimension(mean, logvar)

    assert divergences.shape == (50, 4)
    assert divergences.dtype == np.float32
    assert (divergences >= 0).all()
    np.testing.assert_allclose(divergences.sum(axis=1), numpy_reference.kl_divergence(mean, logvar), rtol=1e-5)


def test_sigmoid_is_right_and_never_overflows():
    """Logits of any size give probabilities, without a warning."""
    logits = np.array([-np.float32(3e38), -100, -1, 0, 2, 100, 3e38], np.float32)

    probs = numpy_model.sigmoid(logits)

    np.testing.assert_allclose(probs, [0, 0, 1 / (1 + np.e), 0.5, 1 / (1 + np.exp(-2)), 1, 1], atol=1e-6)


def test_sigmoid_of_small_probabilities_is_as_exact_as_of_large():
    """Probabilities far below 1 aren't rounded to 0, and the logits are unchanged."""
    logits = np.array([-80, -40, -20, -10], np.float32)
    before = logits.copy()

    probs = numpy_model.sigmoid(logits)

    np.testing.assert_allclose(probs, np.exp(before.astype(np.float64)) / (1 + np.exp(before)), rtol=1e-6)
    np.testing.assert_array_equal(logits, before)
