"""`python -m training train` on data sets that can't be had."""

import numpy as np
import pytest
from PIL import Image


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--dataset", "images:absent"], 1, "there is no folder absent; name one that holds image files"),
        (["--dataset", "images:" + "x" * 300], 1, "x (File name too long); name one that holds image files"),
        (["--dataset", "idx:" + "x" * 300], 1, "x (File name too long); name one that holds train-images-idx3-ubyte"),
        (["--dataset", "images:~nouser/x"], 1, "there is no folder ~nouser/x (there is no such user); name one"),
        (["--dataset", "idx:~nouser/x"], 1, "there is no folder ~nouser/x (there is no such user); name one"),
        (["--dataset", "images:drawings", "--image-size", "16"], 2, "--image-size is '16': expected HEIGHTxWIDTH"),
        (["--dataset", "images:drawings", "--image-size", "0x5000"], 2, "each from 1 to 4096, such as 16x24"),
        (["--dataset", "idx:drawings"], 1, "expected train-images-idx3-ubyte (or the same with .gz) in drawings"),
        (["--image-size", "16x24"], 2, "error: --image-size is given with data set 'mnist'"),
        (["--dataset", "tfds:nosuch", "--data-dir", "."], 1, "TFDS can't find it: Dataset nosuch not found"),
        (["--dataset", "tfds:mnist", "--data-dir", "x" * 300], 1, "TFDS can't find it: "),
        (["--dataset", ""], 2, "unknown data set '': expected one of mnist"),
        # Not as the picture that Rich has for :cat:.
        (["--dataset", "images:cat", "--batch-size", "2"], 1, "images:cat: too few image files, 1"),
        (["--dataset", "images:bilder\udce9"], 2, "--dataset is 'images:bilder\\udce9': expected a name in UTF-8"),
        (["--dataset", "tfds:mnist", "--data-dir", "d\udce9"], 2, "--data-dir is 'd\\udce9': expected a name in UTF-8"),
        (["--dataset", "tfds:"], 2, "unknown data set 'tfds:': expected one of mnist, tfds:NAME"),
    ],
)
def test_wrong_data_is_one_sentence(run_here, tmp_path, words, code, message):
    """A data set that can't be had ends the command before anything is trained, with what to do and no traceback."""
    for folder in ("drawings", "cat"):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.zeros((48, 72), np.uint8)).save(tmp_path / folder / "0.png")

    done = run_here("train", "--framework", "pytorch", *words, "--out", "other")

    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "other").exists()
