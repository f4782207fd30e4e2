"""The losses of each framework, against the formulas in NumPy, in value and in gradient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.backends import Backend
from tests.support.models import numpy_reference

EXTREMES = np.array([[-1e4, -104, -88, -20, -1, -0.0, 0, 1, 20, 88, 104, 1e4]])


@pytest.mark.parametrize("pixel", [0.0, 1.0])
def test_cross_entropy_is_exact_when_logits_are_saturated(backend: Backend, pixel: float) -> None:
    """Logits of +-1e4 give 0 or 1e4, and everything between gives what float64 gives."""
    cross_entropy = backend.module("losses").binary_cross_entropy_with_logits
    logits = EXTREMES.T
    images = np.full_like(logits, pixel)

    losses = backend.call(cross_entropy, logits, images)

    expected = numpy_reference.binary_cross_entropy_with_logits(logits, images)
    # PyTorch adds exp(-|logit|) to 1 before it takes the logarithm: what is below the precision of 1 is lost.
    np.testing.assert_allclose(losses, expected, rtol=1e-6, atol=np.finfo(np.float32).eps)
    assert losses[-1 if pixel else 0] == 0
    assert losses[0 if pixel else -1] == 1e4


def test_cross_entropy_gradient_is_sigmoid_minus_pixel_when_logits_are_saturated(backend: Backend) -> None:
    """The derivative is finite and right even where the loss is flat, and at 0 itself."""
    cross_entropy = backend.module("losses").binary_cross_entropy_with_logits
    images = np.array([[0, 1] * 6], float)

    gradient = backend.gradient(lambda logits: cross_entropy(logits, backend.array(images)), EXTREMES)

    expected = np.exp(-np.logaddexp(0, -EXTREMES)) - images
    np.testing.assert_allclose(gradient, expected, atol=1e-7)


def test_cross_entropy_is_summed_over_pixels_and_kept_by_image(backend: Backend) -> None:
    """A batch of 5 images gives 5 losses, each the sum over its own pixels."""
    random = np.random.default_rng(0)
    logits, images = random.normal(size=(5, 784)) * 5, (random.random((5, 784)) < 0.3).astype(float)

    losses = backend.call(backend.module("losses").binary_cross_entropy_with_logits, logits, images)

    assert losses.shape == (5,)
    np.testing.assert_allclose(losses, numpy_reference.binary_cross_entropy_with_logits(logits, images), rtol=1e-5)


def test_kl_divergence_is_zero_at_the_prior(backend: Backend) -> None:
    """q = N(0, I) is the prior itself."""
    divergence = backend.call(backend.module("losses").kl_divergence, np.zeros((3, 20)), np.zeros((3, 20)))

    np.testing.assert_array_equal(divergence, np.zeros(3))


@given(
    mean=st.lists(st.floats(-30, 30, width=32), min_size=4, max_size=4),
    logvar=st.lists(st.floats(-30, 10, width=32), min_size=4, max_size=4),
)
def test_kl_divergence_is_never_negative_and_agrees_with_the_formula(
    backend: Backend, mean: list[float], logvar: list[float]
) -> None:
    """For any mean and logvar the divergence is the closed form, and at least 0 but for rounding."""
    means, logvars = np.array([mean]), np.array([logvar])

    divergence = backend.call(backend.module("losses").kl_divergence, means, logvars)

    np.testing.assert_allclose(divergence, numpy_reference.kl_divergence(means, logvars), rtol=1e-5, atol=1e-5)
    assert divergence >= -1e-6


def test_kl_divergence_has_the_gradient_of_the_formula(backend: Backend) -> None:
    """The derivative is mean by the mean, and (exp(logvar) - 1) / 2 by logvar."""
    kl_divergence = backend.module("losses").kl_divergence
    random = np.random.default_rng(0)
    mean, logvar = random.normal(size=(2, 3, 20))

    by_mean = backend.gradient(lambda inner: kl_divergence(inner, backend.array(logvar)), mean)
    by_logvar = backend.gradient(lambda inner: kl_divergence(backend.array(mean), inner), logvar)

    np.testing.assert_allclose(by_mean, mean, rtol=1e-5)
    np.testing.assert_allclose(by_logvar, (np.exp(logvar) - 1) / 2, rtol=1e-4, atol=1e-6)


def test_elbo_is_log_likelihood_minus_divergence_of_each_image(backend: Backend) -> None:
    """The bound of an image is made of its own two parts, with a weight of 1 on each."""
    random = np.random.default_rng(0)
    logits, images = random.normal(size=(3, 784)), (random.random((3, 784)) < 0.3).astype(float)
    mean, logvar = random.normal(size=(2, 3, 20))

    bound = backend.call(backend.module("losses").elbo, logits, images, mean, logvar)

    expected = -numpy_reference.binary_cross_entropy_with_logits(logits, images) - numpy_reference.kl_divergence(
        mean, logvar
    )
    np.testing.assert_allclose(bound, expected, rtol=1e-5)
