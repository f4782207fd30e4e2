"""Trainers, evaluation and service on a GPU. Skipped where NVIDIA's driver is missing, or a framework sees no GPU.

Run alone, as `pytest tests/e2e/test_gpu.py`: other tests hide the GPU from JAX for as long as their process lives.
"""

import shutil

import numpy as np
import pytest

from app.inference.adapters.base import MAX_BATCH
from app.inference.adapters.numpy_adapter import NumpyAdapter
from app.inference.adapters.packed_calls import LARGEST
from app.inference.models.loader import import_adapter
from tests.support.app import post_npy
from tests.support.backends import Backend, paired_arrays
from tests.support.checkpoints import make_checkpoint
from tests.support.cli import run
from tests.support.live_service import CHECKOUT, serving, wait_until_settled
from tests.support.models import numpy_reference
from training.checkpoints.checkpoint import load_checkpoint
from training.config import ModelConfig, TrainConfig
from training.data import TEST_SEED, binarize, load_dataset
from training.errors import DeviceError
from training.frameworks import FRAMEWORKS, is_installed

pytestmark = pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="there is no NVIDIA driver")


@pytest.fixture(scope="module", params=FRAMEWORKS)
def framework(request):
    """Each framework that is installed and sees a GPU; their CUDA libraries clash, so mostly there is one."""
    if not is_installed(request.param):
        pytest.skip(f"{request.param} isn't installed")
    try:
        Backend(request.param).module("device").select_device("cuda")
    except DeviceError as error:
        pytest.skip(str(error))
    return request.param


@pytest.fixture(scope="module")
def checkpoint():
    """The committed one of JAX, which every framework loads."""
    return load_checkpoint(CHECKOUT / "checkpoints" / "jax" / "model.safetensors")


@pytest.fixture(scope="module")
def exact(checkpoint):
    """Its model in float64."""
    weights = {name: array.astype(np.float64) for name, array in checkpoint.weights.items()}
    return NumpyAdapter(make_checkpoint(checkpoint.model, weights), framework="numpy")


@pytest.fixture(scope="module")
def images():
    """Test digits."""
    return binarize(load_dataset("mnist").test[:256], target="fixed", seed=TEST_SEED)


def test_products_are_in_float32_unless_tf32_is_asked_for(framework, checkpoint, exact, images):
    """The encoder's means are float64's within 1e-5 of their size; rounded to TF32's ten bits they are off by more."""
    device, train = Backend(framework).module("device"), Backend(framework).module("train")
    expected, _ = exact.encode(images.astype(np.float64))

    def error() -> float:
        mean, _ = evaluator.encode(checkpoint.weights, images)
        return float(abs(mean - expected).max() / abs(expected).max())

    evaluator = train.Evaluator(checkpoint.model, device="cuda")
    full = error()
    device.allow_tf32()
    rounded = error()
    device.select_device("cuda")

    assert evaluator.device == "cuda"
    assert full < 1e-5
    assert 1e-4 < rounded < 1e-2


@pytest.mark.parametrize("count", [1, 5, 64, 1500, 8192])
def test_adapter_computes_what_numpy_does(framework, checkpoint, exact, count):
    """Logits, mean and logvar are the model's within 1e-5 of their size, for batches of any size."""
    images = binarize(load_dataset("mnist").test[:count], target="fixed", seed=TEST_SEED)
    eps = np.random.default_rng(0).normal(size=(count, checkpoint.model.latent_dim)).astype(np.float32)

    adapter = import_adapter(framework)(checkpoint, device="cuda", threads=1)
    outputs = adapter.reconstruct(images, eps)

    assert adapter.device == "cuda"
    assert MAX_BATCH <= adapter.max_batch <= LARGEST
    for array, expected in zip(
        outputs, exact.reconstruct(images.astype(np.float64), eps.astype(np.float64)), strict=True
    ):
        np.testing.assert_allclose(array, expected, rtol=1e-5, atol=1e-5 * abs(expected).max())


def test_log_likelihood_and_kl_are_those_of_numpy(framework, checkpoint, images):
    """Each image's two terms are float64's within 1e-5 of them."""
    eps = np.random.default_rng(0).normal(size=(len(images), checkpoint.model.latent_dim)).astype(np.float32)
    weights = {name: array.astype(np.float64) for name, array in checkpoint.weights.items()}
    inner = numpy_reference.forward(weights, images.astype(np.float64), eps.astype(np.float64))

    evaluator = Backend(framework).module("train").Evaluator(checkpoint.model, device="cuda")
    log_likelihood, kl = evaluator.evaluate(checkpoint.weights, images, eps)

    exact = -numpy_reference.binary_cross_entropy_with_logits(inner["logits"], images)
    np.testing.assert_allclose(log_likelihood, exact, rtol=1e-5)
    np.testing.assert_allclose(kl, numpy_reference.kl_divergence(inner["mean"], inner["logvar"]), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "tf32", "bfloat16"])
def test_trainer_learns_one_batch_by_heart(framework, dtype):
    """Trained on the same 32 images over and over, the loss falls far below what any other images get."""
    images = binarize(load_dataset("mnist").train[:32], target="threshold", seed=0)
    config = TrainConfig(
        epochs=300, batch_size=32, learning_rate=3e-3, warmup_epochs=0, ema_decay=0.9, compute_dtype=dtype
    )
    trainer = Backend(framework).module("train").Trainer(ModelConfig(), config, images, device="cuda")
    order = np.arange(32, dtype=np.int32).reshape(1, 32)

    first, _ = trainer.train_epoch(order, seed=0)
    elbos = [trainer.train_epoch(order, seed=seed)[0] for seed in range(1, 300)]

    assert trainer.device == "cuda"
    assert -first[0] > 500
    assert -np.mean(elbos[-20:]) < 45
    assert {array.dtype for array in trainer.weights().values()} == {np.dtype(np.float32)}


def test_restored_trainer_goes_on_where_the_other_was(framework):
    """Given another's state, a trainer ends with the same state, but for the order in which a GPU sums."""
    images = binarize(load_dataset("mnist").train[:512], target="dynamic", seed=0)
    order = np.arange(512, dtype=np.int32).reshape(4, 128)
    config = TrainConfig(epochs=3, batch_size=128, warmup_epochs=1)
    train = Backend(framework).module("train")
    first, second = (train.Trainer(ModelConfig(), config, images, device="cuda") for _ in range(2))
    first.train_epoch(order, seed=0)

    second.restore(first.state())
    for trainer in (first, second):
        for epoch in (1, 2):
            trainer.train_epoch(order, seed=epoch)

    assert first.state().step == second.state().step == 12
    for place, expected, array in paired_arrays(first.state(), second.state()):
        # Adam divides by the size of the gradient: where that is rounding alone, so is the direction of the step.
        assert abs(array - expected).mean() < 1e-4 * abs(expected).mean(), place


def test_command_trains_and_evaluates(framework, tmp_path):
    """The two commands take `--device cuda`, and the checkpoint tells the device and the GPU's name."""
    trained = run("train", "--framework", framework, "--epochs", "2", "--device", "cuda", "--out", "o", folder=tmp_path)
    path = tmp_path / "o" / framework / "model.safetensors"
    options = ("--checkpoint", str(path), "--framework", framework, "--samples", "10", "--device", "cuda")
    evaluated = run("evaluate", *options, folder=tmp_path)

    assert trained.returncode == 0, trained.stderr
    assert evaluated.returncode == 0, evaluated.stderr
    saved_checkpoint = load_checkpoint(path)
    assert saved_checkpoint.training["device"] == "cuda"
    assert "NVIDIA" in saved_checkpoint.training["machine"]
    assert 90 < -saved_checkpoint.metrics["test_elbo"] < 140


def test_service_answers_from_the_gpu(framework, checkpoint, images, tmp_path):
    """`/frameworks` tells the device, and means are NumPy's within 1e-4."""
    mean, _ = NumpyAdapter(checkpoint, framework="numpy").encode(images)
    (tmp_path / framework).mkdir()
    shutil.copy(CHECKOUT / "checkpoints" / "jax" / "model.safetensors", tmp_path / framework)

    with serving(
        "--checkpoints", str(tmp_path), "--frameworks", framework, "--device", "cuda", log=tmp_path / "log"
    ) as client:
        entries = wait_until_settled(client)
        answer = post_npy(client, f"/encode?framework={framework}", images)

    assert entries[framework]["device"] == "cuda", entries
    assert "NVIDIA" in entries[framework]["device_name"]
    assert entries[framework]["max_batch"] >= MAX_BATCH
    assert answer.status_code == 200, answer.text
    assert answer.json()["device"] == "cuda"
    np.testing.assert_allclose(answer.json()["mean"], mean, atol=1e-4)
