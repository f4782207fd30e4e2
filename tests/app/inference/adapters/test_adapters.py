"""Every adapter on every checkpoint: nine pairs of who trained and who loads, against the model in NumPy."""

import numpy as np
import pytest

from app.inference.adapters.numpy_adapter import NumpyAdapter
from app.inference.models.loader import import_adapter
from tests.support.checkpoints import make_checkpoint, make_weights
from tests.support.live_service import CHECKOUT
from training.checkpoints.checkpoint import load_checkpoint
from training.config import ModelConfig
from training.data import TEST_SEED, binarize, load_dataset
from training.errors import DeviceError
from training.frameworks import FRAMEWORKS


def load(framework, checkpoint, device="cpu"):
    """Return a framework's adapter of a checkpoint."""
    return import_adapter(framework)(checkpoint, device=device, threads=2)


@pytest.fixture(scope="module")
def images():
    """Test digits."""
    return binarize(load_dataset("mnist").test[:64], target="fixed", seed=TEST_SEED)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_adapter_parses_no_source(framework, monkeypatch):
    """Compiling calls no `ast.parse`, as AutoGraph does: another thread's, of an import, could fail by it."""
    import_adapter(framework)
    monkeypatch.setattr("ast.parse", lambda *_, **__: pytest.fail("source is parsed"))

    mean, _ = load(framework, make_checkpoint()).encode(np.zeros((1, make_checkpoint().model.image_dim), np.float32))

    assert np.isfinite(mean).all()


@pytest.mark.parametrize("trained_by", FRAMEWORKS)
@pytest.mark.parametrize("loaded_by", FRAMEWORKS)
def test_any_framework_loads_what_any_has_trained(images, trained_by, loaded_by):
    """The logits of a trained checkpoint are the model's in NumPy within 1e-5 of their size, whoever computes them."""
    checkpoint = load_checkpoint(CHECKOUT / "checkpoints" / trained_by / "model.safetensors")
    eps = np.random.default_rng(0).normal(size=(len(images), checkpoint.model.latent_dim)).astype(np.float32)
    weights = {name: array.astype(np.float64) for name, array in checkpoint.weights.items()}
    exact = NumpyAdapter(make_checkpoint(checkpoint.model, weights), framework="numpy")

    outputs = load(loaded_by, checkpoint).reconstruct(images, eps)

    for array, expected in zip(
        outputs, exact.reconstruct(images.astype(np.float64), eps.astype(np.float64)), strict=True
    ):
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, expected, rtol=1e-5, atol=1e-5 * abs(expected).max())


@pytest.fixture(scope="module", params=FRAMEWORKS)
def small(request):
    """A framework's adapter of a small checkpoint for images of an odd shape, and NumPy's of the same."""
    config = ModelConfig(image_shape=(5, 3), hidden_dim=7, latent_dim=2)
    checkpoint = make_checkpoint(config, make_weights(config))
    return load(request.param, checkpoint), NumpyAdapter(checkpoint, framework="numpy")


@pytest.mark.parametrize("count", [1, 2, 5, 64, 1500])
def test_methods_agree_for_any_batch_size(small, count):
    """Encode, decode and reconstruct give what NumPy gives, row by row, for batches of any size and an odd shape."""
    adapter, expected = small
    random = np.random.default_rng(count)
    images = random.random((count, adapter.model.image_dim), np.float32)
    eps = random.standard_normal((count, adapter.model.latent_dim), np.float32)
    images.flags.writeable = False  # as the codecs may hand them over

    for outputs, expected_outputs in (
        (adapter.encode(images), expected.encode(images)),
        ((adapter.decode(eps),), (expected.decode(eps),)),
        (adapter.reconstruct(images, eps), expected.reconstruct(images, eps)),
    ):
        for array, other in zip(outputs, expected_outputs, strict=True):
            np.testing.assert_allclose(array, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_adapter_says_what_it_is(framework):
    """Name, version, device, threads and architecture are reported."""
    adapter = load(framework, make_checkpoint())

    assert adapter.framework == framework
    assert adapter.framework_version[0].isdigit()
    assert adapter.device == "cpu"
    assert adapter.threads >= 1
    assert adapter.model == make_checkpoint().model


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_gpu_that_is_not_there_is_a_clear_error(framework):
    """Asking for cuda says that there is none and what to do."""
    with pytest.raises(DeviceError, match="sees no GPU: use device auto or cpu, or install .* for CUDA"):
        load(framework, make_checkpoint(), device="cuda")
