"""`images:FOLDER`: image files are read as the service reads them, and keep their split."""

import io
import logging

import numpy as np
import pytest
from PIL import Image

from app.codecs.image_files import decode_image
from tests.support.image_files import encode, scene, scenes, sideways_with_exif
from tests.support.limits import make_limits
from training.config import ModelConfig
from training.data import load_dataset
from training.errors import ConfigError, DataError


def write_noise(folder, count, *, start=0):
    """Write so many small pictures, no two alike, and return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(start, start + count):
        pixels = np.random.default_rng(seed).integers(0, 256, (5, 6), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed:03}.png")
    return folder


def load(folder, shape=(5, 6), **options):
    """Return the data set of a folder."""
    return load_dataset(f"images:{folder}", image_shape=shape, **options)


def sides(dataset):
    """Return the part that each image is in, by its pixels."""
    parts = ("train", "validation", "test")
    return {image.tobytes(): part for part in parts for image in getattr(dataset, part)}


def row_of(folder, data, suffix, shape=(28, 28), **options):
    """Return the image read from one file in a folder of others."""
    write_noise(folder, 100)
    before = sides(load(folder, shape, **options))
    (folder / f"one{suffix}").write_bytes(data)
    after = sides(load(folder, shape, **options))
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

    found = sides(load(tmp_path, shape, invert=invert))

    assert len(expected) > 30
    assert set(expected.values()) <= found.keys()


def test_picture_that_lies_on_its_side_is_turned(tmp_path):
    """A phone's picture is upright before it is resized: bright at the upper left."""
    data, _ = sideways_with_exif()

    image = row_of(tmp_path, data, ".jpeg", (10, 20)).reshape(10, 20)

    assert image[:4, :8].min() > 230
    assert image[6:].max() < 25


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


def test_pictures_are_split_eight_to_one_to_one(tmp_path):
    """Of 1000 pictures about 800, 100 and 100 are in the three parts, and each is in one."""
    dataset = load(write_noise(tmp_path, 1000))

    counts = [len(dataset.train), len(dataset.validation), len(dataset.test)]
    assert sum(counts) == len(sides(dataset)) == 1000
    np.testing.assert_allclose(counts, [800, 100, 100], atol=40)


def test_no_picture_changes_side_when_others_come_and_go(tmp_path):
    """Adding pictures and removing some leaves each of the others in its part."""
    before = sides(load(write_noise(tmp_path, 150)))
    write_noise(tmp_path / "later", 60, start=150)
    for seed in range(20):
        (tmp_path / f"{seed:03}.png").unlink()

    after = sides(load(tmp_path))

    kept = before.keys() & after.keys()
    assert len(kept) == 130
    assert len(after) == 190
    assert all(before[image] == after[image] for image in kept)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_names_and_folders_decide_nothing(tmp_path, seed):
    """The same pictures under other names, in other folders, are the same data set, bit for bit."""
    before = load(write_noise(tmp_path, 60))
    generator = np.random.default_rng(seed)
    for path, number in zip(sorted(tmp_path.iterdir()), generator.permutation(60), strict=True):
        place = tmp_path / generator.choice(["a", "b/c", "."]) / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)

    after = load(tmp_path)

    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(after, part), getattr(before, part))


def test_copies_of_a_picture_are_on_one_side(tmp_path):
    """A picture that is there thirty times isn't both trained on and tested on."""
    write_noise(tmp_path, 100)
    data = encode(scene(), "PNG")
    for index in range(30):
        (tmp_path / f"copy{index}.png").write_bytes(data)

    dataset = load(tmp_path)

    with Image.open(io.BytesIO(data)) as picture:
        pixels = np.asarray(picture.resize((6, 5), Image.Resampling.LANCZOS)).ravel()
    counts = [int((part == pixels).all(axis=1).sum()) for part in (dataset.train, dataset.validation, dataset.test)]
    assert sorted(counts) == [0, 0, 30]


def test_other_files_are_left_alone(tmp_path):
    """Notes, hidden files, and folders, even one named like a picture, are neither read nor counted as broken."""
    write_noise(tmp_path, 100)
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "._000.png").write_text("what macOS leaves beside a picture")
    (tmp_path / ".thumbnails").mkdir()
    (tmp_path / ".thumbnails" / "000.png").write_text("of another program")
    (tmp_path / "folder.png").mkdir()

    dataset = load(tmp_path)

    assert len(sides(dataset)) == 100


def test_broken_picture_among_two_hundred_is_listed_and_left_out(tmp_path, caplog):
    """Up to 1 % may be unreadable: the run goes on, and each is named with the reason."""
    write_noise(tmp_path, 198)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "broken.jpg").write_bytes(encode(scene(), "JPEG")[:300])
    (tmp_path / "text.png").write_text("not a picture")

    with caplog.at_level(logging.WARNING):
        dataset = load(tmp_path)

    assert len(sides(dataset)) == 198
    assert "2 of 200 image files can't be read" in caplog.text
    assert "sub/broken.jpg (" in caplog.text
    assert "text.png (no PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or HEIC)" in caplog.text


def test_too_many_broken_pictures_are_refused(tmp_path):
    """A folder with more than 1 % unreadable files is refused, and the first twenty are named."""
    write_noise(tmp_path, 100)
    for index in range(25):
        (tmp_path / f"broken{index:02}.png").write_bytes(b"")

    message = r"25 of 125 image files can't be read: broken00.png \(.*broken19.png \(.*, and 5 more; up to 1 % would"
    with pytest.raises(DataError, match=message):
        load(tmp_path)


def test_picture_with_pixels_that_are_not_finite_is_unreadable(tmp_path):
    """A TIFF with NaN in it is named, with the reason, and isn't taken as black."""
    write_noise(tmp_path, 20)
    (tmp_path / "nan.tiff").write_bytes(encode(Image.fromarray(np.full((5, 6), np.nan, np.float32)), "TIFF"))

    with pytest.raises(DataError, match=r"1 of 21 image files can't be read: nan.tiff \(has pixels that aren't finite"):
        load(tmp_path)


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
        load(tmp_path)


def test_folder_that_is_not_there(tmp_path):
    """The folder is named."""
    with pytest.raises(DataError, match="there is no folder .*absent; name one that holds image files"):
        load(tmp_path / "absent")


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
