"""What a comparison asks of each framework: eager and compiled, layers and reconstructions, given steps."""

import numpy as np
import pytest

from tests import reference
from tests.checkpoints import make_weights
from training.config import ModelConfig, TrainConfig
from training.errors import CompilerError

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

    outputs = backend.module("inference").Inference(MODEL, weights, device="cpu").layer_outputs(images, eps)

    expected = reference.forward(weights, images, eps)
    assert list(outputs) == list(LAYERS)
    for layer, name in LAYERS.items():
        np.testing.assert_allclose(outputs[layer], expected[name], rtol=1e-4, atol=1e-5)


def test_reconstruction_is_that_of_the_layers(backend, inputs):
    """The compiled call gives the layers' own logits, mean and logvar, at any batch size."""
    weights, images, eps = inputs
    model = backend.module("inference").Inference(MODEL, weights, device="cpu")

    for size in (1, 8):
        found = model.reconstruct(images[:size], eps[:size])

        outputs = model.layer_outputs(images[:size], eps[:size])
        for array, layer in zip(found, ("decoder.logits", "encoder.mean", "encoder.logvar"), strict=True):
            np.testing.assert_allclose(array, outputs[layer], rtol=1e-4, atol=1e-5)


def test_replay_takes_the_trainers_steps(backend, inputs):
    """The loss of a step is the reference's before it, and the weights move."""
    weights, images, eps = inputs
    replay = backend.module("replay").Replay(MODEL, CONFIG, weights, steps_per_epoch=2, device="cpu")

    first = replay.step(images[:4], eps[:4])
    moved = replay.weights()
    second = replay.step(images[4:], eps[4:])

    assert first == pytest.approx(reference.loss(weights, images[:4], eps[:4]), rel=1e-5)
    assert second == pytest.approx(reference.loss(moved, images[4:], eps[4:]), rel=1e-5)
    assert not np.array_equal(moved["decoder.logits.kernel"], weights["decoder.logits.kernel"])


def test_eager_epoch_is_the_trainers_own(backend, inputs):
    """Operations one by one give the figures of the trainer's own way: the switch changes how, not what."""
    weights, images, _ = inputs
    order = np.arange(8, dtype=np.int32).reshape(2, 4)

    def train():
        trainer = backend.module("train").Trainer(MODEL, CONFIG, images, device="cpu", weights=weights)
        return trainer.train_epoch(order, seed=3)

    expected = train()
    with backend.module("execution").eager():
        found = train()

    for figures, others in zip(found, expected, strict=True):
        np.testing.assert_allclose(figures, others, rtol=1e-5)


def test_threads_are_counted(backend):
    """At least one."""
    assert backend.module("execution").count_threads() >= 1


def test_compiling_says_what_it_lacks_where_there_is_no_compiler(monkeypatch):
    """PyTorch needs a C++ compiler on a CPU, and the message says where to name one."""
    from training.pytorch_vae.execution import compiled  # noqa: PLC0415 - no framework while tests are collected

    monkeypatch.setenv("CXX", "no-such-compiler")

    with pytest.raises(CompilerError, match="there is no no-such-compiler: install one, or set CXX"), compiled():
        pass
