"""`training.reporting.terminal_view`: images as characters."""

import io

import numpy as np
import pytest
from rich.console import Console

from tests.support.checkpoints import make_checkpoint
from training.checkpoints.checkpoint import weight_shapes
from training.config import ModelConfig
from training.data.dataset import Dataset
from training.errors import DataError
from training.reporting.terminal_view import print_view

SHAPE = (3, 4)


def view(image, *, width=80, color_system=None, probability=0.5, count=3, shape=SHAPE):
    """Return the printed lines, each image a copy of one, each reconstruction and sample of one probability."""
    model = ModelConfig(image_shape=shape, hidden_dim=2, latent_dim=2)
    weights = {name: np.zeros(size, np.float32) for name, size in weight_shapes(model).items()}
    weights["decoder.logits.bias"] += np.float32(np.log(probability / (1 - probability)))
    images = np.tile(255 * np.asarray(image, np.uint8).reshape(1, -1), (count, 1))
    dataset = Dataset(name="tiny", image_shape=image.shape, train=images, validation=images, test=images)
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        color_system=color_system,
        force_terminal=color_system is not None,
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    print_view(console, make_checkpoint(model, weights), dataset)
    return file.getvalue().splitlines()


def test_pixels_are_shades_where_there_are_no_colors():
    """A character is the mean of two pixels, one above the other; an odd last row stands on black."""
    image = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0]])

    lines = view(image, probability=0.999)

    assert lines[1:3] == ["@==  @==  @== ", "==   ==   ==  "]
    assert lines[4:6] == ["@@@@ @@@@ @@@@", "==== ==== ===="]
    assert lines[6] == ""
    assert lines[8:10] == lines[4:6]


def test_pixels_are_half_blocks_in_their_gray_where_there_are_colors():
    """A character has the upper pixel's gray in front, and the lower one's behind."""
    image = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0]])

    lines = view(image, color_system="truecolor", count=1)

    block = "\N{UPPER HALF BLOCK}"
    grays = [(255, 255), (255, 0), (0, 255), (0, 0)]
    assert lines[1] == "".join(f"\x1b[38;2;{u};{u};{u};48;2;{d};{d};{d}m{block}\x1b[0m" for u, d in grays)
    assert lines[4].count("38;2;128;128;128;48;2;128;128;128m") == 4


@pytest.mark.parametrize(("width", "columns"), [(4, 1), (8, 1), (9, 2), (80, 3)])
def test_images_stand_side_by_side_as_the_console_is_wide(width, columns):
    """As many whole images as fit, and no more than there are; no picture's line is wider than the console."""
    lines = view(np.ones(SHAPE), width=width, probability=0.999)

    first = lines.index(" ".join(["@@@@"] * columns))
    assert max(map(len, lines[first : first + 2])) <= width


def test_image_wider_than_the_console_is_reduced_and_said_to_be():
    """Its pixels are averaged in squares, as small as fit."""
    image = np.zeros((4, 12))
    image[:, :6] = 1

    lines = view(image, width=7, shape=(4, 12))

    assert "at 1/2 of their size, for the terminal has 7 columns" in lines[0]
    assert "@@@   " in lines


def test_images_of_another_shape_are_refused():
    """The message names both shapes."""
    with pytest.raises(DataError, match=r"tiny has images of \(2, 2\): expected \(3, 4\), as the model has"):
        view(np.ones((2, 2)))
