"""`images:FOLDER`: the split of each picture is decided by its pixels alone, so that none changes its split."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.support.images.image_files import encode, scene
from tests.support.images.image_folders import load_images, sides, write_noise
from training.errors import DataError


def test_pictures_are_split_eight_to_one_to_one(tmp_path):
    """Of 1000 pictures about 800, 100 and 100 are in the three splits, and each is in one."""
    dataset = load_images(write_noise(tmp_path, 1000))

    counts = [len(dataset.train), len(dataset.validation), len(dataset.test)]
    assert sum(counts) == len(sides(dataset)) == 1000
    np.testing.assert_allclose(counts, [800, 100, 100], atol=40)


def test_no_picture_changes_side_when_others_come_and_go(tmp_path):
    """Adding pictures and removing some leaves each of the others in its split."""
    before = sides(load_images(write_noise(tmp_path, 150)))
    write_noise(tmp_path / "later", 60, start=150)
    for seed in range(20):
        (tmp_path / f"{seed:03}.png").unlink()

    after = sides(load_images(tmp_path))

    remaining = before.keys() & after.keys()
    assert len(remaining) == 130
    assert len(after) == 190
    assert all(before[image] == after[image] for image in remaining)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_names_and_folders_decide_nothing(tmp_path, seed):
    """The same pictures under other names, in other folders, are the same data set, bit for bit."""
    before = load_images(write_noise(tmp_path, 60))
    generator = np.random.default_rng(seed)
    for path, number in zip(sorted(tmp_path.iterdir()), generator.permutation(60), strict=True):
        place = tmp_path / generator.choice(["a", "b/c", "."]) / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)

    after = load_images(tmp_path)

    for split in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(after, split), getattr(before, split))


def test_copies_of_a_picture_are_on_one_side(tmp_path):
    """A picture that is there thirty times isn't both trained on and tested on."""
    write_noise(tmp_path, 100)
    data = encode(scene(), "PNG")
    for index in range(30):
        (tmp_path / f"copy{index}.png").write_bytes(data)

    dataset = load_images(tmp_path)

    with Image.open(io.BytesIO(data)) as picture:
        pixels = np.asarray(picture.resize((6, 5), Image.Resampling.LANCZOS)).ravel()
    counts = [int((split == pixels).all(axis=1).sum()) for split in (dataset.train, dataset.validation, dataset.test)]
    assert sorted(counts) == [0, 0, 30]


@pytest.mark.parametrize(("others", "distinct"), [(0, 1), (2, 3)])
def test_copies_do_not_count_as_pictures(tmp_path, others, distinct):
    """The message has the number of distinct files if copies fill only some splits, and asks for more of those."""
    write_noise(tmp_path, others)
    data = encode(scene(), "PNG")
    for index in range(120):
        (tmp_path / f"copy{index}.png").write_bytes(data)

    message = (
        rf"too few distinct image files, {distinct} among {120 + others}: .* they leave one empty .*; "
        "add files of other content, for copies share a split: 100 distinct ones are enough"
    )
    with pytest.raises(DataError, match=message):
        load_images(tmp_path)
