"""`training.commands.options.run`: a preset changed by options, and options against the run that is to go on."""

from pathlib import Path

import pytest

from tests.support.models.resume_states import make_state
from training.commands.options.run import check_options, make_configs, merge_options, own_options, repeat_command
from training.config import PRESETS, ModelConfig, TrainConfig
from training.errors import ConfigError


def test_options_change_a_preset():
    """Given options override the preset; the rest is taken from it, then from the defaults."""
    options = merge_options("quick", {"epochs": 7, "batch_size": None, "seed": 3, "hidden_dim": 9})

    model, config = make_configs(options, image_shape=(2, 3))

    quick = PRESETS["quick"]
    assert model == ModelConfig(image_shape=(2, 3), hidden_dim=9)
    assert (config.epochs, config.seed) == (7, 3)
    assert (config.batch_size, config.ema_decay) == (quick.batch_size, quick.ema_decay)


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_alone_is_its_config(preset):
    """A preset's name is enough to train as it says."""
    _, config = make_configs(merge_options(preset, {}), image_shape=(28, 28))

    assert config == PRESETS[preset]


def test_no_options_are_the_default():
    """Without a preset, a run is the full one."""
    _, config = make_configs(merge_options(None, {"epochs": None}), image_shape=(28, 28))

    assert config == TrainConfig()


@pytest.mark.parametrize(
    "options",
    [{}, {"epochs": 3}, {"epochs": 3, "seed": 7, "hidden_dim": 3, "device": "cpu"}, {"warmup_epochs": 5}],
)
def test_options_that_agree_with_the_run_are_taken(options):
    """An option may be repeated to go on."""
    check_options(Path("runs/jax"), "jax", options, make_state())


@pytest.mark.parametrize(
    ("framework", "options", "message"),
    [
        (
            "jax",
            {"batch_size": 128},
            "runs/jax: the run to resume began with --batch-size 256, not 128, and can't change it: ",
        ),
        ("jax", {"hidden_dim": 500}, "with --hidden-dim 3, not 500"),
        ("jax", {"validation_images": 100}, "began without --validation-images, not with 100"),
        ("jax", {"device": "cuda"}, "with --device cpu, not cuda"),
        ("jax", {"dataset": "images:cats"}, "with --dataset mnist, not images:cats"),
        ("jax", {"epochs": 400}, "with --epochs 3, not 400, and can't change it, for the learning rate of every step"),
        ("jax", merge_options("quick", {}), "with --epochs 3, not "),
        ("jax", {"snapshots": "5"}, "with --snapshots 3,100, not 5"),
        ("jax", {"snapshots": ""}, "with --snapshots 3,100, not ''"),
        ("jax", {"invert": True}, "began without --invert, not with it"),
        ("pytorch", {}, "with --framework jax, not pytorch"),
    ],
)
def test_options_that_contradict_the_run_are_refused(framework, options, message):
    """The message has both values, and says what to do."""
    with pytest.raises(ConfigError, match=f"{message}.*start again with --overwrite instead of --resume"):
        check_options(Path("runs/jax"), framework, options, make_state(origin={"invert": False}, snapshots=[3, 100]))


def test_own_options_are_those_of_the_state():
    """The size is an option of image folders alone; an older state knows nothing of inversion and snapshots."""
    config = TrainConfig(epochs=3, dataset="images:pics")
    state = make_state(config=config, origin={"invert": True}, snapshots=[3, 100])
    height, width = state.model.image_shape

    options = own_options(state)

    assert options["image_size"] == f"{height}x{width}"
    assert (options["invert"], options["snapshots"]) == (True, "3,100")
    assert {"image_size", "invert", "snapshots"}.isdisjoint(own_options(make_state()))
    with pytest.raises(ConfigError, match=f"with --image-size {height}x{width}, not 28x28"):
        check_options(Path("runs/jax"), "jax", {"image_size": "28x28"}, state)


@pytest.mark.parametrize(("count", "words"), [(None, []), (100, ["validation-images 100 "])])
def test_repeated_command_divides_the_data_alike(count, words):
    """The option is there only where it was given: its default has no number."""
    command = repeat_command("jax", TrainConfig(validation_images=count), ModelConfig(), ["--invert"])

    assert command.endswith(" --invert")
    assert [word for word in command.split("--") if word.startswith("validation-images")] == words
