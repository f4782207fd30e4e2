"""`training.config`: each field's range, and what `from_json` refuses."""

import json
import math

import pytest

from training.config import PRESETS, ModelConfig, TrainConfig
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
        (TrainConfig, "compute_dtype", ["float32", "tf32", "bfloat16"]),
        (TrainConfig, "initialization", ["glorot", "pytorch"]),
        (TrainConfig, "seed", [0, 2**31 - 1]),
        (TrainConfig, "validation_images", [None, 1, 2**31 - 1]),
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
        (TrainConfig, "validation_images", [0, -1, 1.5, "100", True], "an integer from 1 to 2147483647"),
        (TrainConfig, "learning_rate", [0, -1e-3, 1.1, math.nan, "1e-3", True], "a number over 0 and at most 1"),
        (TrainConfig, "warmup_epochs", [-1, math.inf, math.nan], "a number from 0"),
        (TrainConfig, "adam_b1", [-0.1, 1, math.nan], "a number from 0 to below 1"),
        (TrainConfig, "adam_b2", [-0.1, 1, math.nan], "a number from 0 to below 1"),
        (TrainConfig, "adam_epsilon", [0, 2, math.nan], "a number over 0 and at most 1"),
        (TrainConfig, "ema_decay", [-0.1, 1, math.nan], "a number from 0 to below 1"),
        (TrainConfig, "target", ["grey", "", None, "Fixed"], "one of dynamic, fixed, threshold"),
        (TrainConfig, "compute_dtype", ["float16", "", None], "one of float32, tf32, bfloat16"),
        (TrainConfig, "initialization", ["he", "", None], "one of glorot, pytorch"),
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


@pytest.mark.parametrize("config", [TrainConfig(), TrainConfig(epochs=3, seed=7, target="fixed", adam_b1=0)])
def test_train_config_survives_json(config):
    """A run's options are written down in full, and read again."""
    assert TrainConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beta": 2}, r"TrainConfig has the fields \['adam_b1', .*'beta', .*\]: expected"),
        ({"epochs": "3"}, "epochs is '3': expected an integer"),
        ({"target": ["fixed"]}, r"target is \['fixed'\]: expected one of"),
        ({"dataset": None}, "dataset is None: expected a name"),
        ({"dataset": "images:bilder\udce9"}, r"dataset is 'images:bilder\\udce9': expected a name in UTF-8"),
    ],
)
def test_train_config_from_json_when_wrong(changes, message):
    """A field that is unknown or of another type is an error that names it."""
    with pytest.raises(ConfigError, match=message):
        TrainConfig.from_json(TrainConfig().to_json() | changes)


def test_presets_are_the_default_and_a_short_one():
    """`full` is what a config is without options; `quick` is the same task in a tenth of the epochs or less."""
    full, quick = PRESETS["full"], PRESETS["quick"]

    assert full == TrainConfig()
    assert quick.epochs <= full.epochs / 10
    assert (quick.target, quick.dataset, quick.seed) == (full.target, full.dataset, full.seed)


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
