"""`tfds:NAME`: data sets that TFDS's own builders prepare here, read back without TensorFlow."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from training.data import binarize, load_dataset
from training.errors import DataError

CHECKOUT = Path(__file__).parents[3]

PREPARE = """
import os, sys
from pathlib import Path
from tests.support.images.tfds_builders import SmallBuilder
from training.data import load_dataset
from training.data.tfds import prepare

class FreshNoise(SmallBuilder):  # known by its name, as those of the catalog are
    pass

folder = Path(sys.argv[1])
reason = prepare("fresh_noise", str(folder))
dataset = load_dataset("tfds:fresh_noise", data_dir=folder)

import tensorflow
gpus = tensorflow.config.get_visible_devices("GPU")
(folder / "result").write_text(f"{reason} {len(dataset.train)} {os.environ['CUDA_VISIBLE_DEVICES']} {gpus}")
"""


def run_python(*arguments):
    """Run Python in a separate process, with the checkout on the path, and return what it prints."""
    result = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The folder of all sets of `tests.support.images.tfds_builders`, prepared by TFDS in a separate process."""
    folder = tmp_path_factory.mktemp("tfds")
    run_python("-m", "tests.support.images.tfds_builders", str(folder))
    return folder


def test_binarized_mnist_keeps_its_splits_and_its_pixels(prepared):
    """Its three splits are the parts, and its zeros and ones are what every target is, and nothing is drawn."""
    dataset = load_dataset("tfds:binarized_mnist", data_dir=prepared)

    assert dataset.name == "tfds:binarized_mnist"
    assert dataset.image_shape == (28, 28)
    for part, count in (("train", 40), ("validation", 12), ("test", 8)):
        images = getattr(dataset, part)
        generator = np.random.default_rng(count)
        expected = generator.integers(0, 2, (count, 784), dtype=np.uint8)
        indices = np.packbits(images[:, :8] // 255, axis=1, bitorder="little")[:, 0]
        assert sorted(indices) == list(range(count))
        np.testing.assert_array_equal(images[:, 8:] // 255, expected[indices, 8:])
        for target in ("dynamic", "fixed", "threshold"):
            np.testing.assert_array_equal(binarize(images, target=target, seed=1), images // 255)


def test_gray_images_of_another_shape_come_with_their_labels(prepared):
    """Pixels and classes belong together, the test split is kept, and validation images are cut from `train`."""
    dataset = load_dataset("tfds:gray_shapes", data_dir=prepared)

    assert dataset.image_shape == (16, 24)
    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == [50, 10, 20]
    for part in ("train", "validation", "test"):
        images, labels = getattr(dataset, part), getattr(dataset, f"{part}_labels")
        np.testing.assert_array_equal(images, np.repeat(100 * labels[:, None], 384, axis=1))
        assert set(labels) == {0, 1, 2}


def test_truth_values_in_a_training_split_alone(prepared):
    """Bits become black and white, two parts are cut from the one split, and there are no classes unless given."""
    dataset = load_dataset("tfds:bits", data_dir=prepared)

    assert dataset.image_shape == (4, 6)
    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == [50, 10, 12]
    assert set(np.unique(dataset.train)) == {0, 255}
    assert 0.4 < (dataset.train == 255).mean() < 0.6
    assert dataset.train_labels is None


def test_images_are_those_that_tensorflow_reads(prepared):
    """TFDS itself, through TensorFlow, gives the same images in the same order."""
    dataset = load_dataset("tfds:binarized_mnist", data_dir=prepared)
    out = prepared / "expected.npy"

    run_python(
        "-c",
        "import sys, numpy, tensorflow_datasets as tfds\n"
        "images = tfds.load('binarized_mnist', split='train', data_dir=sys.argv[1], shuffle_files=False)\n"
        "numpy.save(sys.argv[2], [example['image'].ravel() for example in tfds.as_numpy(images)])",
        str(prepared),
        str(out),
    )

    np.testing.assert_array_equal(dataset.train // 255, np.load(out))


def test_folder_of_one_set_is_taken_too(prepared):
    """`--data-dir` may be the very folder of the version, as `tfds.builder_from_directory` takes it."""
    folder = prepared / "gray_shapes" / "1.0.0"

    dataset = load_dataset("tfds:gray_shapes", data_dir=folder)

    assert dataset.image_shape == (16, 24)
    with pytest.raises(DataError, match="holds gray_shapes: name that, or another folder"):
        load_dataset("tfds:mnist", data_dir=folder)


@pytest.mark.parametrize("name", ["binarized_mnist", "gray_shapes", "bits"])
def test_reading_imports_no_tensorflow(prepared, name):
    """In whatever format a set was prepared, TensorFlow isn't imported to read it, and so takes no GPU."""
    printed = run_python(
        "-c",
        "import sys; from pathlib import Path; from training.data import load_dataset\n"
        "load_dataset(sys.argv[1], data_dir=Path(sys.argv[2]))\n"
        "print([name for name in ('tensorflow', 'keras', 'jax', 'torch') if name in sys.modules])",
        f"tfds:{name}",
        str(prepared),
    )

    assert printed.splitlines()[-1] == "[]"


def test_prepare_makes_a_set_that_can_be_read(tmp_path):
    """An unprepared set is prepared with the GPU hidden from TensorFlow, and can be read afterwards."""
    printed = run_python("-c", PREPARE, str(tmp_path))

    assert (tmp_path / "result").read_text() == "None 50 -1 []"
    assert printed == ""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("color", r"tfds:color: expected images of one channel, found shape \(8, 8, 3\) \(color\); save each image"),
        ("deep", "expected 8 bits a pixel .* found uint16; save each image as a PNG file, and use images:FOLDER"),
        ("mixed", r"train: expected images of one size, found 2 sizes, such as \(8, 8\) and \(8, 9\); save each"),
        ("two_images", "expected a feature named image, found (left, right|right, left); save each"),
        ("test_only", "expected a split named train that isn't empty, found test of 20 images; save each"),
        ("nosuch", "TFDS can't find it: Dataset nosuch not found; expected a name of its catalog, or of a data set"),
        ("bits/other", "TFDS can't find it: .*not found; expected a name of its catalog"),
        ("mnist:9.9.9", "TFDS can't find it: .* only: 3.0.1; expected a name of its catalog"),
        ("../mnist", "TFDS can't find it: Parsing builder name string ../mnist failed; expected a name"),
    ],
)
def test_set_of_another_kind_is_refused(prepared, name, message):
    """Color, 16 bits, sizes that differ, missing features and splits, unknown names: each says what to do."""
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(f"tfds:{name}", data_dir=prepared)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["binarized_mnist", "gray_shapes", "bits"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_damaged_set_is_refused(prepared, tmp_path, name, damage):
    """A truncated or missing record file is reported in one sentence, in each format."""
    shutil.copytree(prepared / name, tmp_path / name)
    (path,) = (tmp_path / name / "1.0.0").glob("*train*")
    content = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])

    with pytest.raises(DataError, match=f"tfds:{name}: train: .*; prepare it again"):
        load_dataset(f"tfds:{name}", data_dir=tmp_path)


def test_download_without_network_says_how_to_get_the_data(tmp_path, monkeypatch):
    """Without a network the error is immediate, and suggests preparing the set elsewhere."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    began = time.monotonic()

    with pytest.raises(DataError) as caught:
        load_dataset("tfds:fashion_mnist", data_dir=tmp_path)

    assert time.monotonic() - began < 60
    assert f"not prepared in {tmp_path}, and can't be downloaded there: " in str(caught.value)
    assert "can't be reached: no network?; on a machine with internet and TensorFlow run `python -c " in str(
        caught.value
    )
    assert "tfds.builder('fashion_mnist', data_dir='FOLDER').download_and_prepare()" in str(caught.value)
    assert "give FOLDER as --data-dir" in str(caught.value)


def test_tfds_when_not_installed(monkeypatch):
    """Without tensorflow-datasets the message is how to install it."""
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)

    with pytest.raises(DataError, match=r"tfds:mnist: needs tensorflow-datasets, .*pip install 'triptych\[train\]'"):
        load_dataset("tfds:mnist")
