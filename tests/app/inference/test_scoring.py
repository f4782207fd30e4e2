"""Operations of several steps, against their formulas in float64."""

import math

import numpy as np
import pytest

from app.inference import operations, scoring
from app.inference.adapters.base import MAX_BATCH
from app.inference.noise import Noise, draw_noise
from tests.support.app import MODEL, compute, make_images, numpy_adapter_of, run_operation


def log_normal(z, mean, logvar):
    """Return log N(z; mean, exp(logvar)), summed over the latents."""
    return (-0.5 * (math.log(2 * math.pi) + logvar + (z - mean) ** 2 / np.exp(logvar))).sum(axis=-1)


def log_bernoulli(logits, images):
    """Return log p(x|z), summed over pixels."""
    probs = 1 / (1 + np.exp(-logits.astype(np.float64)))
    return (images * np.log(probs) + (1 - images) * np.log1p(-probs)).sum(axis=-1)


@pytest.fixture(scope="module")
def adapter(checkpoints):
    """The model in NumPy."""
    return numpy_adapter_of(checkpoints)


@pytest.mark.parametrize(("count", "samples"), [(1, 2), (3, 7), (5, 200), (MAX_BATCH + 4, 2)])
def test_score_is_the_bound_of_its_samples(adapter, count, samples):
    """The ELBO and the importance-weighted bound are those of the seed's noise, however it is cut into batches."""
    images = make_images(count)
    mean, logvar = (array.astype(np.float64) for array in adapter.encode(images))
    eps = draw_noise(7, (samples, count, MODEL.latent_dim))
    z = mean + eps * np.exp(logvar / 2)
    logits = adapter.decode(z.reshape(-1, MODEL.latent_dim).astype(np.float32))
    log_likelihood = log_bernoulli(logits.reshape(samples, count, -1), images)
    log_weights = log_likelihood + log_normal(z, 0.0, np.zeros_like(z)) - log_normal(z, mean, logvar)
    weights = np.exp(log_weights - log_weights.max(axis=0))

    scores = compute(scoring.score, adapter, images, samples=samples, seed=7)

    kl = 0.5 * (np.exp(logvar) + mean**2 - 1 - logvar)
    expected = {
        "elbo": log_likelihood.mean(axis=0) - kl.sum(axis=-1),
        "log_likelihood": log_likelihood.mean(axis=0),
        "kl_divergence": kl.sum(axis=-1),
        "kl_per_dimension": kl,
        "bits_per_pixel": (kl.sum(axis=-1) - log_likelihood.mean(axis=0)) / (MODEL.image_dim * math.log(2)),
        "iwae": log_weights.max(axis=0) + np.log(weights.mean(axis=0)),
        "iwae_standard_error": weights.std(axis=0, ddof=1) / weights.mean(axis=0) / math.sqrt(samples),
        "effective_samples": weights.sum(axis=0) ** 2 / (weights**2).sum(axis=0),
    }
    assert list(scores) == list(expected)
    for name, array in expected.items():
        assert scores[name].dtype == np.float32, name
        np.testing.assert_allclose(scores[name], array, rtol=2e-5, atol=2e-5, err_msg=name)


def test_score_of_one_sample_is_that_of_reconstruct(adapter):
    """With one sample and the same seed `/score` and `/reconstruct` have the same ELBO; the bound has no spread."""
    images = make_images(3)

    scored = compute(scoring.score, adapter, images, samples=1, seed=7)
    reconstructed = run_operation(operations.reconstruct, adapter, images, seed=7)

    assert "iwae_standard_error" not in scored
    assert "effective_samples" not in scored
    for name in ("elbo", "log_likelihood", "kl_divergence"):
        np.testing.assert_allclose(scored[name], reconstructed[name], rtol=1e-6)


def test_bound_of_one_sample_is_its_log_weight(adapter):
    """With one sample the importance-weighted bound is log p(x, z) - log q(z|x) of the seed's draw."""
    images = make_images(3)
    mean, logvar = (array.astype(np.float64) for array in adapter.encode(images))
    z = mean + draw_noise(7, mean.shape) * np.exp(logvar / 2)
    log_likelihood = log_bernoulli(adapter.decode(z.astype(np.float32)), images)
    log_weights = log_likelihood + log_normal(z, 0.0, np.zeros_like(z)) - log_normal(z, mean, logvar)

    scored = compute(scoring.score, adapter, images, samples=1, seed=7)

    np.testing.assert_allclose(scored["iwae"], log_weights, rtol=2e-5)


def test_more_samples_bound_tighter(adapter):
    """The importance-weighted bound is above the ELBO, and rises with the samples."""
    images = make_images(4)

    few, many = (compute(scoring.score, adapter, images, samples=samples, seed=1) for samples in (5, 500))

    assert (few["iwae"] > few["elbo"]).all()
    assert many["iwae"].mean() > few["iwae"].mean()


def test_interpolation_is_a_straight_line_with_both_its_ends(adapter):
    """The latents go in even steps from the first to the second, and are what the probs are decoded from."""
    ends = draw_noise(3, (2, MODEL.latent_dim))

    interpolation = run_operation(operations.interpolate, adapter, ends, steps=5)

    assert interpolation["latents"].shape == (5, MODEL.latent_dim)
    np.testing.assert_array_equal(interpolation["latents"][[0, -1]], ends)
    np.testing.assert_allclose(np.diff(interpolation["latents"], n=2, axis=0), 0, atol=1e-6)
    decoded = run_operation(operations.decode, adapter, interpolation["latents"])
    np.testing.assert_array_equal(interpolation["probs"], decoded["probs"])


def test_images_are_interpolated_by_their_means(adapter):
    """Between images the line goes from mean to mean."""
    images = make_images(2)

    interpolation = compute(scoring.interpolate_images, adapter, images, steps=3)

    np.testing.assert_array_equal(interpolation["latents"][[0, -1]], adapter.encode(images)[0])


@pytest.mark.parametrize("seed", [0, 7, 2**53, 2**63 - 1])
def test_noise_is_the_contract_s(seed):
    """Noise is Philox's under the seed, whatever was drawn before, and the first row doesn't depend on the others."""
    expected = np.random.Generator(np.random.Philox(key=seed)).standard_normal((3, 20), dtype=np.float32)

    draw_noise(1, (5,))

    np.testing.assert_array_equal(draw_noise(seed, (3, 20)), expected)
    np.testing.assert_array_equal(draw_noise(seed, (1, 20)), expected[:1])


def test_noise_drawn_piece_by_piece_is_the_noise_drawn_at_once():
    """Cutting the draws of many samples into pieces of odd sizes changes nothing."""
    noise = Noise(7)

    pieces = np.concatenate([noise.draw((count, 3, 21)) for count in (1, 2, 4)])

    np.testing.assert_array_equal(pieces, draw_noise(7, (7, 3, 21)))
