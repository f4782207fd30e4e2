"""Names in the messages of `python -m training`: options as they are typed, and fields of a recipe as they are."""

import pytest

from training.commands.command_line import name_options

OPTIONS = {"latent_dim": "--latent-dim", "image_size": "--image-size", "invert": "--invert", "as_json": "--json"}


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("latent_dim is 0: expected 1", "--latent-dim is 0: expected 1"),
        ("image size is '1': expected", "--image-size is '1': expected"),
        ("as_json is 1: expected", "--json is 1: expected"),
        ("invert (--invert) is given: leave it out", "--invert is given: leave it out"),
        ("too large; reduce x (--latent-dim) or y (--invert)", "too large; reduce --latent-dim or --invert"),
        ("x (--other) is given", "x (--other) is given"),
        ("recipe 'a': latent_dim is 0: expected", "recipe 'a': latent_dim is 0: expected"),
        ("/invert is here", "/invert is here"),
    ],
)
def test_field_becomes_its_option_where_it_begins_a_message_or_is_beside_it(message, named):
    """Only a field that one of the command's options sets is renamed; paths and recipes stay as they are."""
    assert name_options(message, OPTIONS) == named


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "--framework", "jax", "--latent-dim", "0"], "--latent-dim is 0: expected an integer from 1 to 4096"),
        (
            ["train", "--framework", "jax", "--ema-decay", "2"],
            "--ema-decay is 2.0: expected a number from 0 to below 1",
        ),
        (["train", "--framework", "jax", "--invert"], "--invert is given with data set 'mnist': expected only with"),
        (["train", "--framework", "jax", "--data-dir", "."], "--data-dir is given with data set 'mnist'"),
        (
            ["train", "--framework", "jax", "--batch-size", "9", "--devices", "2"],
            "--batch-size is 9: expected a multiple",
        ),
        (
            ["sweep", "--framework", "jax", "--recipe", "base", "--hidden-dim", "0"],
            "--hidden-dim is 0: expected an int",
        ),
        (["sweep", "--framework", "jax", "--recipe", "base", "--dataset", ""], "unknown data set ''"),
        (
            ["sweep", "--framework", "jax", "--recipe", "epochs=0"],
            "recipe 'epochs=0': epochs is 0: expected an integer from 1",
        ),
        (["compare", "--frameworks", "jax", "--sections", "x"], "--sections is 'x': expected a comma-separated list"),
    ],
)
def test_message_names_the_option_as_it_is_typed(run_here, words, message):
    """Every command does, with exit status 2."""
    done = run_here(*words)

    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {message}")
