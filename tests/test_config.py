"""`training.config`: each field's range, and what `from_json` refuses."""

import math

import pytest

from training.config import ModelConfig, TrainConfig
from training.errors import ConfigError


@pytest.mark.parametrize(
    ("config", "field", "values"),
    [
        (ModelConfig, "image_shape", [(1, 1), (4096, 4096)]),
        (ModelConfig, "hidden_dim", [1, 65536]),
        (ModelConfig, "latent_dim", [1, 4096]),
        (TrainConfig, "epochs", [1, 100_000]),
        (TrainConfig, "batch_size", [1, 65536]),
        (TrainConfig, "learning_rate", [1e-9, 1, 1.0]),
        (TrainConfig, "warmup_epochs", [0, 0.5, 1e6]),
        (TrainConfig, "adam_b1", [0, 0.999999]),
        (TrainConfig, "adam_b2", [0, 0.999999]),
        (TrainConfig, "adam_epsilon", [1e-30, 1.0]),
        (TrainConfig, "ema_decay", [0, 0.999999]),
        (TrainConfig, "target", ["dynamic", "fixed", "threshold"]),
        (TrainConfig, "seed", [0, 2**31 - 1]),
    ],
)
def test_config_takes_its_whole_range(config, field, values):
    """The ends of a field's range belong to it."""
    for value in values:
        assert getattr(config(**{field: value}), field) == value


@pytest.mark.parametrize(
    ("config", "field", "values", "expected"),
    [
        (ModelConfig, "image_shape", [[28, 28], (28,), (28, 28, 1), "28", None], r"a pair \(height, width\)"),
        (ModelConfig, "image_shape", [(0, 28), (28, 4097), (28.0, 28), (True, 28)], "an integer from 1 to 4096"),
        (ModelConfig, "hidden_dim", [0, 65537, 500.0, "500", None, True], "an integer from 1 to 65536"),
        (ModelConfig, "latent_dim", [0, 4097, -1], "an integer from 1 to 4096"),
        (TrainConfig, "epochs", [0, 100_001, 1.5], "an integer from 1 to 100000"),
        (TrainConfig, "batch_size", [0, 65537], "an integer from 1 to 65536"),
        (TrainConfig, "learning_rate", [0, -1e-3, 1.1, math.nan, "1e-3", True], "a number over 0 and at most 1"),
        (TrainConfig, "warmup_epochs", [-1, math.inf, math.nan], "a number from 0"),
        (TrainConfig, "adam_b1", [-0.1, 1, math.nan], "a number from 0 to below 1"),
        (TrainConfig, "adam_b2", [-0.1, 1, math.nan], "a number from 0 to below 1"),
        (TrainConfig, "adam_epsilon", [0, 2, math.nan], "a number over 0 and at most 1"),
        (TrainConfig, "ema_decay", [-0.1, 1, math.nan], "a number from 0 to below 1"),
        (TrainConfig, "target", ["grey", "", None, "Fixed"], "one of dynamic, fixed, threshold"),
        (TrainConfig, "seed", [-1, 2**31, 0.5], "an integer from 0 to 2147483647"),
    ],
)
def test_config_when_out_of_range(config, field, values, expected):
    """A value outside a field's range is an error with field, value and allowed range."""
    for value in values:
        with pytest.raises(ConfigError, match=rf"^{field}(\[\d\])? is .*: expected {expected}$"):
            config(**{field: value})


def test_image_dim_is_height_times_width():
    """The number of pixels follows from the shape."""
    assert ModelConfig(image_shape=(3, 5)).image_dim == 15


@pytest.mark.parametrize("model", [ModelConfig(), ModelConfig(image_shape=(3, 5), hidden_dim=7, latent_dim=2)])
def test_model_config_survives_json(model):
    """`from_json` undoes `to_json`."""
    assert ModelConfig.from_json(model.to_json()) == model


def test_train_config_to_json_has_every_field():
    """A run's options are written down in full."""
    values = TrainConfig(epochs=3).to_json()

    assert TrainConfig(**values) == TrainConfig(epochs=3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (None, "ModelConfig is NoneType: expected a JSON object"),
        ([1, 2], "ModelConfig is list: expected a JSON object"),
        ({}, r"ModelConfig has the fields \[\]: expected \['hidden_dim', 'image_shape', 'latent_dim'\]"),
        ({"image_shape": [2, 2], "hidden_dim": 3}, r"has the fields \['hidden_dim', 'image_shape'\]: expected"),
        (ModelConfig().to_json() | {"beta": 2}, r"has the fields \['beta', .*\]: expected"),
        (ModelConfig().to_json() | {"image_shape": 28}, r"image_shape is 28: expected a pair"),
        (ModelConfig().to_json() | {"image_shape": [28, "28"]}, r"image_shape\[1\] is '28': expected an integer"),
    ],
)
def test_from_json_when_wrong(values, message):
    """A field that is missing, unknown or of another type is an error that names it."""
    with pytest.raises(ConfigError, match=message):
        ModelConfig.from_json(values)
