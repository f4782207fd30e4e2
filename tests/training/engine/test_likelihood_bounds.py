"""The figures of `training.engine.likelihood_bounds`, held against quadrature and NumPy in each framework."""

import math

import numpy as np
import pytest

from tests.support.backends import Backend
from tests.support.checkpoints import make_weights
from tests.support.models import numpy_reference
from training.config import ModelConfig
from training.engine.evaluation import evaluate
from training.engine.likelihood_bounds import ACTIVE, Estimate, importance_weighted_bounds, measure

MODEL = ModelConfig(image_shape=(2, 3), hidden_dim=5, latent_dim=1)
IMAGES = (np.arange(8 * 6).reshape(8, 6) * 37 % 11 < 5).astype(np.float32)


def weights_of(model: ModelConfig) -> dict[str, np.ndarray]:
    """Return weights whose q(z|x) is wide enough to cover the posterior, as a trained one's is."""
    return {name: array * (0.2 if "encoder" in name else 0.7) for name, array in make_weights(model, seed=4).items()}


def log_normal(z: np.ndarray, mean: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """Return log N(z; mean, exp(logvar)), summed over latents."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mean) ** 2 / np.exp(logvar)).sum(axis=-1)


def exact_log_likelihoods(weights: dict[str, np.ndarray], images: np.ndarray) -> np.ndarray:
    """Return log p(x) of each image under a model of one latent, the integral over z taken on a fine grid."""
    grid, step = np.linspace(-12, 12, 4001, retstep=True)
    decoded = np.maximum(grid[:, None] @ weights["decoder.hidden.kernel"] + weights["decoder.hidden.bias"], 0)
    logits = decoded @ weights["decoder.logits.kernel"] + weights["decoder.logits.bias"]
    losses = numpy_reference.binary_cross_entropy_with_logits(logits[:, None], images.astype(np.float64))
    prior = log_normal(grid[:, None], np.zeros(1), np.zeros(1))
    return np.logaddexp.reduce(prior[:, None] - losses, axis=0) + math.log(step)


class Recording:
    """An evaluator whose log weights are so low that their exponentials are 0, and which remembers them."""

    device = "cpu"

    def __init__(self) -> None:
        self.log_weights_of = {}

    def evaluate(self, weights, images, eps):
        """Return something for each image."""
        return -images.sum(axis=1), np.square(eps).sum(axis=1)

    def encode(self, weights, images):
        """Return the first two pixels as means."""
        return images[:, :2], np.zeros((len(images), 2), np.float32)

    def log_weights(self, weights, images, eps):
        """Return numbers about -2000, and note them under the image's first pixel."""
        assert eps.shape[0] * eps.shape[1] * images.shape[1] <= 2**20
        values = -2000 - images[:, 0].astype(np.float64) + 3 * eps[:, :, 0]
        for image, column in zip(images[:, 0], values.T, strict=True):
            self.log_weights_of.setdefault(float(image), []).extend(column.tolist())
        return values


def test_log_weights_are_those_of_the_densities_written_out(backend: Backend) -> None:
    """log p(x|z) + log p(z) - log q(z|x) agrees with three densities in NumPy, for each draw of each image."""
    model = ModelConfig(image_shape=(2, 3), hidden_dim=5, latent_dim=3)
    weights = make_weights(model)
    eps = np.random.default_rng(1).standard_normal((7, len(IMAGES), 3), dtype=np.float32)
    evaluator = backend.module("train").Evaluator(model, device="cpu")

    log_weights = evaluator.log_weights(weights, IMAGES, eps)

    a = numpy_reference.forward(weights, IMAGES.astype(np.float64), eps.astype(np.float64))
    log_likelihood = -numpy_reference.binary_cross_entropy_with_logits(a["logits"], IMAGES)
    log_prior = log_normal(a["z"], np.zeros(3), np.zeros(3))
    np.testing.assert_allclose(
        log_weights, log_likelihood + log_prior - log_normal(a["z"], a["mean"], a["logvar"]), 1e-4
    )


def test_encode_returns_mean_and_logvar(backend: Backend) -> None:
    """They are those of the oracle."""
    weights = make_weights(MODEL)
    evaluator = backend.module("train").Evaluator(MODEL, device="cpu")

    mean, logvar = evaluator.encode(weights, IMAGES)

    expected = numpy_reference.forward(weights, IMAGES.astype(np.float64), np.zeros((len(IMAGES), 1)))
    np.testing.assert_allclose(mean, expected["mean"], 1e-4)
    np.testing.assert_allclose(logvar, expected["logvar"], 1e-4)


def test_bound_is_the_exact_likelihood_when_samples_are_many(backend: Backend) -> None:
    """With 20,000 samples and one latent the bound of each image is the integral over z, within 0.02 nats."""
    weights = weights_of(MODEL)
    evaluator = backend.module("train").Evaluator(MODEL, device="cpu")

    (bounds,) = importance_weighted_bounds(evaluator, weights, IMAGES, samples=(20_000,))

    np.testing.assert_allclose(bounds.values, exact_log_likelihoods(weights, IMAGES), atol=0.02)


def test_bound_rises_from_the_elbo_to_the_likelihood(backend: Backend) -> None:
    """One sample estimates the ELBO; more are worth more, on average, and never more than the likelihood."""
    weights = weights_of(MODEL)
    images = np.tile(IMAGES, (500, 1))
    evaluator = backend.module("train").Evaluator(MODEL, device="cpu")

    one, few, many = (
        Estimate.of_mean(bounds.values)
        for bounds in importance_weighted_bounds(evaluator, weights, images, samples=(1, 5, 50))
    )

    elbo = evaluate(evaluator, weights, images, draws=10).elbo
    exact = exact_log_likelihoods(weights, IMAGES).mean()
    assert exact > elbo + 0.05, "the bounds must have room between them"
    assert one.value == pytest.approx(elbo, abs=0.03)
    assert one.value < few.value < many.value < exact + 0.01
    assert many.value > exact - 0.02


def test_bound_counts_every_sample_once_and_takes_no_exponential() -> None:
    """Over chunks of images and of samples, the bound is the log-mean-exp of weights far below float64's smallest."""
    images = np.arange(250, dtype=np.float32)[:, None].repeat(784, axis=1)
    evaluator, done = Recording(), []

    all_bounds = importance_weighted_bounds(
        evaluator, {"encoder.mean.bias": np.zeros(2)}, images, samples=(3, 50, 61), advance=done.append
    )

    assert sum(done) == 250 * 61
    assert [bounds.samples for bounds in all_bounds] == [3, 50, 61]
    for image in range(250):
        assert np.shape(evaluator.log_weights_of[image]) == (61,)
        assert len(set(evaluator.log_weights_of[image])) == 61, "no noise is used twice"
        for bounds in all_bounds:
            log_weights = np.array(evaluator.log_weights_of[image][: bounds.samples])
            ratios = np.exp(log_weights - log_weights.max())
            assert bounds.values[image] == pytest.approx(log_weights.max() + math.log(ratios.mean()), abs=1e-9)
            assert bounds.effective_samples[image] == pytest.approx(ratios.sum() ** 2 / (ratios**2).sum())


def test_memory_is_bounded_when_images_are_large() -> None:
    """An image of a million pixels is decoded once at a time, whatever the number of samples."""
    images = np.zeros((1, 2**20), np.float32)
    done = []

    importance_weighted_bounds(
        Recording(), {"encoder.mean.bias": np.zeros(2)}, images, samples=(5,), advance=done.append
    )

    assert done == [1, 1, 1, 1, 1]


def test_measurement_has_the_elbo_of_evaluate_and_parts_that_add_up(backend: Backend) -> None:
    """ELBO and parts are those of a run's final test; the KL of the latents sums to the KL; bits follow from nats."""
    model = ModelConfig(image_shape=(2, 3), hidden_dim=5, latent_dim=3)
    weights = make_weights(model)
    evaluator = backend.module("train").Evaluator(model, device="cpu")

    measurement = measure(evaluator, weights, IMAGES, draws=4, samples=(2, 6))

    expected = evaluate(evaluator, weights, IMAGES, draws=4)
    assert measurement.elbo == Estimate(expected.elbo, pytest.approx(expected.elbo_standard_error))
    assert measurement.log_likelihood.value == expected.log_likelihood
    assert measurement.kl_divergence.value == expected.kl_divergence
    assert sum(kl.value for kl in measurement.kl_per_dimension) == pytest.approx(expected.kl_divergence, rel=1e-5)
    assert measurement.bits_per_pixel.value == pytest.approx(-expected.elbo / (6 * math.log(2)))
    assert measurement.bits_per_pixel.standard_error == pytest.approx(expected.elbo_standard_error / (6 * math.log(2)))
    assert measurement.iwae_bits_per_pixel.value == pytest.approx(-measurement.iwae.value / (6 * math.log(2)))
    bounds = importance_weighted_bounds(evaluator, weights, IMAGES, samples=(2, 6))
    values = bounds[-1].values
    assert measurement.iwae == Estimate(values.mean(), pytest.approx(values.std(ddof=1) / math.sqrt(8)))
    assert measurement.iwae == measurement.bounds[-1].iwae
    assert [bound.samples for bound in measurement.bounds] == [2, 6]
    assert measurement.bounds[0].effective_samples == np.median(bounds[0].effective_samples)


def test_a_latent_is_active_when_its_mean_depends_on_the_image(backend: Backend) -> None:
    """A latent whose mean is the same for every image has no activity and isn't counted; the others' are variances."""
    model = ModelConfig(image_shape=(2, 3), hidden_dim=5, latent_dim=3)
    weights = make_weights(model)
    weights["encoder.mean.kernel"][:, 1] = 0
    weights["encoder.mean.kernel"][:, 2] *= 1e-3
    evaluator = backend.module("train").Evaluator(model, device="cpu")

    measurement = measure(evaluator, weights, IMAGES, draws=1, samples=(1,))

    mean = numpy_reference.forward(weights, IMAGES.astype(np.float64), np.zeros((len(IMAGES), 3)))["mean"]
    np.testing.assert_allclose([activity.value for activity in measurement.activity], mean.var(axis=0), 1e-4, 1e-12)
    assert measurement.activity[0].value > ACTIVE > measurement.activity[2].value > 0
    assert measurement.active_units == 1


def test_standard_error_of_a_variance_is_that_of_normal_numbers() -> None:
    """Of n normal numbers it is sigma^2 sqrt(2 / n)."""
    values = 3 * np.random.default_rng(0).standard_normal(200_000)

    estimate = Estimate.of_variance(values)

    assert estimate.value == pytest.approx(9, rel=0.02)
    assert estimate.standard_error == pytest.approx(9 * math.sqrt(2 / 200_000), rel=0.02)


def test_one_image_has_no_standard_error() -> None:
    """None is not 0: of one image nothing is known about the spread."""
    measurement = measure(Recording(), {"encoder.mean.bias": np.zeros(2)}, IMAGES[:1], draws=2, samples=(2,))

    assert measurement.elbo.standard_error is None
    assert measurement.iwae.standard_error is None
    assert measurement.activity[0].standard_error is None
