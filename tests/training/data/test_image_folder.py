"""`images:FOLDER`: image files are read as the service reads them; options of other data sets are refused."""

import numpy as np
import pytest
from PIL import Image

from app.codecs.image_files import decode_image
from tests.support.images.image_files import encode, scene, scenes, sideways_with_exif
from tests.support.images.image_folders import load_images, sides, write_noise
from tests.support.limits import make_limits
from training.config import ModelConfig
from training.data import load_dataset
from training.errors import ConfigError, DataError


def row_of(folder, data, suffix, shape=(28, 28), **options):
    """Return the image read from one file in a folder of others."""
    write_noise(folder, 100)
    before = sides(load_images(folder, shape, **options))
    (folder / f"one{suffix}").write_bytes(data)
    after = sides(load_images(folder, shape, **options))
    (added,) = after.keys() - before.keys()
    return np.frombuffer(added, np.uint8)


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("shape", [(28, 28), (10, 20)])
def test_pictures_are_read_as_the_service_reads_them(tmp_path, shape, invert):
    """A file of any format and mode gives the image that it gives as the body of a request, within rounding."""
    write_noise(tmp_path, 100)
    expected = {}
    for name, data in scenes().items():
        (tmp_path / f"{name}.{'jpg' if 'JPEG' in name else 'png'}").write_bytes(data)
        image = decode_image(
            data, model=ModelConfig(image_shape=shape), limits=make_limits(), invert=invert, where=name
        )
        expected[name] = np.rint(image * 255).astype(np.uint8).tobytes()

    sides_by_image = sides(load_images(tmp_path, shape, invert=invert))

    assert len(expected) > 30
    assert set(expected.values()) <= sides_by_image.keys()


def test_picture_that_lies_on_its_side_is_turned(tmp_path):
    """A phone's picture is upright before it is resized: bright at the upper left."""
    data, _ = sideways_with_exif()

    image = row_of(tmp_path, data, ".jpeg", (10, 20)).reshape(10, 20)

    assert image[:4, :8].min() > 230
    assert image[6:].max() < 25


def test_jpeg_without_its_end_marker_is_read(tmp_path):
    """A frame of an IP camera that ends without its end marker is read like one that has it."""
    data = encode(scene(), "JPEG")

    image = row_of(tmp_path, data[:-2], ".jpg")

    expected = decode_image(data, model=ModelConfig(), limits=make_limits(), invert=False, where="body")
    np.testing.assert_array_equal(image, np.rint(expected * 255).astype(np.uint8).ravel())


def test_picture_of_16_bits_is_scaled(tmp_path):
    """65535 is white, as it is for the service."""
    levels = np.asarray(scene(), np.uint16) * 257

    image = row_of(tmp_path, encode(Image.fromarray(levels), "PNG"), ".PNG")

    np.testing.assert_array_equal(image, np.asarray(scene()).ravel())


@pytest.mark.parametrize("suffix", [".jpe", ".JFIF", ".Dib", ".apng", ".HIF", ".TiFF"])
def test_rare_suffixes_are_read_in_any_case(tmp_path, suffix):
    """A picture is found by any suffix that its format has; the content decides the format."""
    image = row_of(tmp_path, encode(scene(), "PNG"), suffix)

    np.testing.assert_array_equal(image, np.asarray(scene()).ravel())


def test_picture_with_alpha_lies_on_black_or_inverted_on_white(tmp_path):
    """Transparent is background: black for light on dark, white, and so black again, for dark on light."""
    ink = Image.merge("LA", [Image.new("L", (28, 28), 255), scene()])
    dark_ink = Image.merge("LA", [Image.new("L", (28, 28), 0), scene()])

    light = row_of(tmp_path / "light", encode(ink, "PNG"), ".png")
    dark = row_of(tmp_path / "dark", encode(dark_ink, "PNG"), ".png", invert=True)

    np.testing.assert_array_equal(light, np.asarray(scene()).ravel())
    np.testing.assert_array_equal(dark, light)


def test_default_size_is_28_by_28(tmp_path):
    """Without a size pictures become what MNIST's are."""
    dataset = load_dataset(f"images:{write_noise(tmp_path, 100)}")

    assert dataset.image_shape == (28, 28)
    assert dataset.train.shape[1] == 784


def test_other_files_are_left_alone(tmp_path):
    """Notes, hidden files, and folders, even one named like a picture, are neither read nor counted as broken."""
    write_noise(tmp_path, 100)
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "._000.png").write_text("what macOS leaves beside a picture")
    (tmp_path / ".thumbnails").mkdir()
    (tmp_path / ".thumbnails" / "000.png").write_text("of another program")
    (tmp_path / "folder.png").mkdir()

    dataset = load_images(tmp_path)

    assert len(sides(dataset)) == 100


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (0, r"there are no image files in .*: expected files that end in .*\.jpeg.*, there or in folders below"),
        (1, r"too few image files, 1: of training, validation and test .* they leave one empty \(.*\); add some"),
    ],
)
def test_folder_of_too_few_pictures(tmp_path, count, message):
    """An empty folder and a single picture give different errors, each with advice."""
    write_noise(tmp_path, count)

    with pytest.raises(DataError, match=message):
        load_images(tmp_path)


def test_folder_that_is_not_there(tmp_path):
    """The folder is named."""
    with pytest.raises(DataError, match="there is no folder .*absent; name one that holds image files"):
        load_images(tmp_path / "absent")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "mnist",
            {"image_shape": (16, 24)},
            r"image_shape \(--image-size\) is given with data set 'mnist': expected only",
        ),
        ("idx:folder", {"invert": True}, r"invert \(--invert\) is given with data set 'idx:folder': .* with images:"),
        (
            "images:folder",
            {"data_dir": "x"},
            r"data_dir \(--data-dir\) is given .* expected only with tfds:; leave it out",
        ),
    ],
)
def test_option_of_another_kind_of_data_set(name, options, message):
    """An option that would change nothing is an error."""
    with pytest.raises(ConfigError, match=message):
        load_dataset(name, **options)


def test_images_larger_than_the_memory_are_refused(tmp_path, monkeypatch):
    """The sum is made before files are decoded: the system would end the process without a message."""
    write_noise(tmp_path, 100)
    monkeypatch.setattr("training.data.image_folder.physical_memory", lambda: 2**30)

    with pytest.raises(
        DataError, match=r"100 images of 4096x4096 pixels take at least 3.1 GiB: expected at most the 1.0 GiB"
    ):
        load_images(tmp_path, (4096, 4096))
