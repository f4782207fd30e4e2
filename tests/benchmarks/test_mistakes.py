"""The benchmark of the usual mistakes: the correct version learns; a diverging loss is reported with its step."""

import dataclasses
import math
from importlib import import_module

import pytest

from tests.support.runs import first_of_mnist
from training.config import PRESETS, ModelConfig


@pytest.fixture(scope="module")
def outcome():
    """A function that trains one of the mistakes for some steps."""
    names = import_module("benchmarks.mistakes.catalogue").MISTAKES
    training = import_module("benchmarks.mistakes.fit")
    evaluator = training.Evaluator(ModelConfig(), device="cpu")
    dataset = first_of_mnist(train=512, others=64)
    config = dataclasses.replace(PRESETS["quick"], epochs=2)
    return lambda name: training.train(names[name], config, dataset, evaluator)


def test_right_way_learns(outcome):
    """The ELBO of images that weren't trained on rises with each epoch, and all is measured in the end."""
    result = outcome("the right way")

    assert result.validation[0] < result.validation[1]
    assert result.test is not None
    assert math.isfinite(result.test.elbo)
    assert result.broken_step is None


def test_broken_loss_ends_the_run(outcome):
    """A NaN or infinite loss is reported with its step, and nothing is measured."""
    result = outcome("`log(sigmoid(logits))`, kernels of deviation 0.1")

    assert result.broken_step == 1
    assert result.loss is None
    assert result.test is None
