"""TensorBoard's event files, read with TensorBoard's own reader."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.support.models.event_reader import read, steps
from training.reporting.figures.image_grids import encode_png
from training.reporting.tensorboard import EventLog


def write(folder, *numbers, resumed_after=0, tag="loss"):
    """Write ten times each step's number under its step."""
    log = EventLog(folder, resumed_after=resumed_after)
    for number in numbers:
        log.add_scalars(number, {tag: 10.0 * number})
    log.close()


def test_tensorboard_reads_scalars_as_they_are_written(tmp_path):
    """A number is there for a reader before the file is closed."""
    log = EventLog(tmp_path, resumed_after=0)

    log.add_scalars(1, {"elbo/train": -104.5, "learning_rate": 0.25})
    log.add_scalars(2, {"elbo/train": -101.25})

    assert steps(tmp_path, "elbo/train") == [(1, -104.5), (2, -101.25)]
    assert steps(tmp_path, "learning_rate") == [(1, 0.25)]
    log.close()


def test_tensorboard_reads_pictures(tmp_path):
    """A picture comes back pixel by pixel, with its width and height."""
    picture = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    log = EventLog(tmp_path, resumed_after=0)

    log.add_picture(5, "samples", encode_png(picture, scale=2))
    log.close()

    (event,) = read(tmp_path).Images("samples")
    pixels = np.asarray(Image.open(io.BytesIO(event.encoded_image_string)))
    assert (event.step, event.width, event.height) == (5, 8, 6)
    np.testing.assert_array_equal(pixels[::2, ::2], np.rint(255 * picture))


def test_resumed_log_has_no_step_twice(tmp_path):
    """Steps after the resumed epoch are removed, and occur once after they are repeated."""
    write(tmp_path, 1, 2, 3, 4)

    write(tmp_path, 3, 4, 5, resumed_after=2)

    assert steps(tmp_path, "loss") == [(1, 10), (2, 20), (3, 30), (4, 40), (5, 50)]
    assert len(list(tmp_path.iterdir())) == 1


def test_new_log_forgets_an_earlier_run(tmp_path):
    """A new run in a folder removes the events of the previous one."""
    write(tmp_path, 1, 2, 3)

    write(tmp_path, 1)

    assert steps(tmp_path, "loss") == [(1, 10)]


def test_result_of_an_earlier_end_goes_when_a_run_goes_on(tmp_path):
    """Only the last end's result stays, whatever its step."""
    write(tmp_path, 1)
    write(tmp_path, 1, resumed_after=1, tag="result/test_elbo")

    write(tmp_path, 1, resumed_after=1, tag="result/test_elbo")

    assert steps(tmp_path, "result/test_elbo") == [(1, 10)]
    assert steps(tmp_path, "loss") == [(1, 10)]


@pytest.mark.parametrize("missing", [1, 10, 40, 60])
def test_log_of_a_killed_process_is_resumed(tmp_path, missing):
    """A file that ends in the middle of an event is read up to the one before."""
    write(tmp_path, 1, 2, 3)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-missing])

    write(tmp_path, 3, resumed_after=2)

    assert (3, 30) in steps(tmp_path, "loss")
    assert [step for step, _ in steps(tmp_path, "loss")] == sorted({step for step, _ in steps(tmp_path, "loss")})


def test_log_is_resumed_when_its_old_file_was_not_removed(tmp_path):
    """A process that was killed between writing the new file and removing the old one leaves nothing twice."""
    write(tmp_path, 1, 2)
    (path,) = tmp_path.iterdir()
    (tmp_path / path.name.replace("tfevents.", "tfevents.0")).write_bytes(path.read_bytes())

    write(tmp_path, 3, resumed_after=2)

    assert steps(tmp_path, "loss") == [(1, 10), (2, 20), (3, 30)]
