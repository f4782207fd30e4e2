"""The backends of a comparison: eager and compiled execution, layer outputs, reconstructions, given steps."""

import numpy as np
import pytest

from tests.support.checkpoints import make_weights
from tests.support.models import numpy_reference
from training.comparison.inference_speed.section import COMPILERS
from training.comparison.training_speed.section import EXTRA_MODES, WARM
from training.config import ModelConfig, TrainConfig
from training.errors import CompilerError
from training.frameworks import import_backend, import_trainer

# Inductor imports a module of PyTorch that uses a deprecated function of PyTorch's.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")

MODEL = ModelConfig(image_shape=(2, 3), hidden_dim=5, latent_dim=2)
CONFIG = TrainConfig(epochs=1, batch_size=4, warmup_epochs=0)
LAYERS = {
    "encoder.hidden": "encoded",
    "encoder.mean": "mean",
    "encoder.logvar": "logvar",
    "z": "z",
    "decoder.hidden": "decoded",
    "decoder.logits": "logits",
}
"""A layer's output in the frameworks, and in the reference."""


@pytest.fixture
def inputs():
    """Weights, images and noise."""
    random = np.random.default_rng(0)
    images = random.integers(0, 2, (8, MODEL.image_dim)).astype(np.float32)
    return make_weights(MODEL), images, random.standard_normal((8, MODEL.latent_dim), np.float32)


def test_layer_outputs_are_those_of_the_reference(backend, inputs):
    """Every layer of every framework gives what NumPy computes in float64, by the same name."""
    weights, images, eps = inputs

    outputs = backend.comparison().Inference(MODEL, weights, device="cpu").layer_outputs(images, eps)

    expected = numpy_reference.forward(weights, images, eps)
    assert list(outputs) == list(LAYERS)
    for layer, name in LAYERS.items():
        np.testing.assert_allclose(outputs[layer], expected[name], rtol=1e-4, atol=1e-5)


def test_reconstruction_is_that_of_the_layers(backend, inputs):
    """The compiled call gives the layers' own logits, mean and logvar, at any batch size."""
    weights, images, eps = inputs
    model = backend.comparison().Inference(MODEL, weights, device="cpu")

    for size in (1, 8):
        reconstruction = model.reconstruct(images[:size], eps[:size])

        outputs = model.layer_outputs(images[:size], eps[:size])
        for array, layer in zip(reconstruction, ("decoder.logits", "encoder.mean", "encoder.logvar"), strict=True):
            np.testing.assert_allclose(array, outputs[layer], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("framework", COMPILERS)
def test_compiled_inference_is_the_frameworks_own(framework, inputs):
    """XLA and `torch.compile` give the outputs of the framework's own way."""
    weights, images, eps = inputs
    inference = import_backend(framework).Inference

    outputs = inference(MODEL, weights, device="cpu", compiled=True).reconstruct(images, eps)

    for array, expected in zip(outputs, inference(MODEL, weights, device="cpu").reconstruct(images, eps), strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("framework", [name for name, modes in EXTRA_MODES.items() if WARM in modes])
def test_compiled_code_is_left_in_the_cache(framework, inputs, tmp_path):
    """The compiled code of a process lies in the folder, for the next."""
    weights, images, _ = inputs
    backend, trainer = import_backend(framework), import_trainer(framework, "train").Trainer

    with backend.execution_mode("compiled", cache=str(tmp_path)) as options:
        run = trainer(MODEL, CONFIG, images, device="cpu", weights=weights, **options)
        run.train_epoch(np.arange(8, dtype=np.int32).reshape(1, 8), seed=3)

    assert any(path.is_file() for path in tmp_path.rglob("*"))


def test_replay_takes_the_trainers_steps(backend, inputs):
    """The loss of a step is the reference's before it, and the weights move."""
    weights, images, eps = inputs
    replay = backend.comparison().Replay(MODEL, CONFIG, weights, steps_per_epoch=2, device="cpu")

    first = replay.step(images[:4], eps[:4])
    moved = replay.weights()
    second = replay.step(images[4:], eps[4:])

    assert first == pytest.approx(numpy_reference.loss(weights, images[:4], eps[:4]), rel=1e-5)
    assert second == pytest.approx(numpy_reference.loss(moved, images[4:], eps[4:]), rel=1e-5)
    assert not np.array_equal(moved["decoder.logits.kernel"], weights["decoder.logits.kernel"])


@pytest.mark.parametrize("mode", ["eager", "compiled"])
def test_every_mode_trains_as_the_trainer_does(backend, inputs, mode):
    """Eager and compiled execution give the results of the trainer's own way; PyTorch's graphs have no breaks."""
    weights, images, _ = inputs
    order = np.arange(8, dtype=np.int32).reshape(2, 4)

    def train(**options):
        trainer = backend.module("train").Trainer(MODEL, CONFIG, images, device="cpu", weights=weights, **options)
        return trainer.train_epoch(order, seed=3)

    expected = train()
    with backend.comparison().execution_mode(mode) as options:
        results = train(**options)

    for figures, others in zip(results, expected, strict=True):
        np.testing.assert_allclose(figures, others, rtol=1e-5)


def test_threads_are_counted(backend):
    """At least one."""
    assert backend.comparison().count_threads() >= 1


def test_compiling_says_what_it_lacks_where_there_is_no_compiler(monkeypatch):
    """PyTorch needs a C++ compiler on a CPU, and the message says where to name one."""
    backend = import_backend("pytorch")
    monkeypatch.setenv("CXX", "no-such-compiler")

    with (
        pytest.raises(CompilerError, match="there is no no-such-compiler: install one, or set CXX"),
        backend.execution_mode("compiled"),
    ):
        pass
