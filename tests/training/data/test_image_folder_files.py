"""`images:FOLDER`: the files found, links, the report of all others, and masks of 0 and 1."""

import logging

import numpy as np
import pytest
from PIL import Image

from training.data import load_dataset
from training.data.file_search import find_image_files
from training.errors import DataError


def write_masks(folder, *, white, mode="L", count=100, first=0):
    """Write masks, no two alike, whose white is that level, and return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(first, first + count):
        pixels = (np.random.default_rng(index).random((12, 12)) > 0.5).astype(np.uint8)
        dtype = np.uint16 if mode == "I;16" else np.uint8
        picture = Image.fromarray(pixels.astype(dtype) * dtype(white))
        picture = Image.fromarray(pixels.astype(bool)) if mode == "1" else picture
        picture.save(folder / f"{index}.{'tif' if mode == 'I;16' else 'png'}")
    return folder


def load(folder, **options):
    """Return the data set of a folder."""
    return load_dataset(f"images:{folder}", image_shape=(12, 12), **options)


def rows(dataset):
    """Return all images of a data set, sorted."""
    return sorted(image.tobytes() for split in ("train", "validation", "test") for image in getattr(dataset, split))


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize(("mode", "white"), [("L", 1), ("I;16", 1), ("1", 1)])
def test_masks_of_0_and_1_are_black_and_white(tmp_path, caplog, mode, white, invert):
    """A folder that holds no other levels than 0 and 1 is read as masks of 0 and 255, with a warning."""
    with caplog.at_level(logging.WARNING):
        masks = load(write_masks(tmp_path / "masks", white=white, mode=mode), invert=invert)
    plain = load(write_masks(tmp_path / "plain", white=255), invert=invert)

    assert rows(masks) == rows(plain)
    assert ("nothing but the levels 0 and 1" in caplog.text) == (mode != "1")


def test_one_other_level_makes_masks_dark_images(tmp_path):
    """One level above 1 in any file keeps all levels unchanged."""
    write_masks(tmp_path, white=1)
    Image.fromarray(np.full((12, 12), 2, np.uint8)).save(tmp_path / "two.png")

    dataset = load(tmp_path)

    assert max(split.max() for split in (dataset.train, dataset.validation, dataset.test)) == 2


def test_links_to_folders_and_files_are_followed(tmp_path):
    """Files behind a link to their folder, or to themselves, are read as if they were there."""
    elsewhere = write_masks(tmp_path / "elsewhere", white=255)
    folder = write_masks(tmp_path / "folder", white=255, count=1, first=200)
    (folder / "more").symlink_to(elsewhere)
    write_masks(tmp_path / "single", white=255, count=1, first=300)
    (folder / "one.png").symlink_to(tmp_path / "single" / "300.png")

    files = find_image_files(folder)

    assert len(files.paths) == 102
    assert files.left_out == ""
    assert len(rows(load(folder))) == 102


def test_circles_and_second_links_are_read_once(tmp_path):
    """A link to a folder above, or a second way to a file, adds nothing, and is counted."""
    folder = write_masks(tmp_path / "folder", white=255, count=3)
    (folder / "up").symlink_to(folder)
    (folder / "again.png").symlink_to(folder / "0.png")

    files = find_image_files(folder)

    assert len(files.paths) == 3
    assert "1 link to a folder already read (up)" in files.left_out
    assert "1 link to a file already read (again.png)" in files.left_out


def test_link_before_its_file_is_the_one_that_is_left_out(tmp_path):
    """The file is read by its own path, and the link is named, also where the link's name is first, or above."""
    folder = write_masks(tmp_path / "folder", white=255, count=2)
    write_masks(folder / "z" / "deep", white=255, count=1, first=2)
    (folder / "-.png").symlink_to(folder / "1.png")
    (folder / "-2.png").symlink_to(folder / "z" / "deep" / "2.png")

    files = find_image_files(folder)

    assert files.paths == [folder / "0.png", folder / "1.png", folder / "z" / "deep" / "2.png"]
    assert files.left_out == "2 links to a file already read (-.png, -2.png)"


def test_link_before_its_folder_is_the_one_that_is_left_out(tmp_path):
    """The files are read by the folder's own path, and the link to it is named, however deep the folder is."""
    folder = write_masks(tmp_path / "folder", white=255, count=1)
    write_masks(folder / "z" / "deep", white=255, count=1, first=1)
    (folder / "a").symlink_to(folder / "z" / "deep")

    files = find_image_files(folder)

    assert files.paths == [folder / "0.png", folder / "z" / "deep" / "1.png"]
    assert files.left_out == "1 link to a folder already read (a)"


def test_folder_that_is_a_link_is_read(tmp_path):
    """The folder of the data set may itself be a link, and hold one to itself."""
    write_masks(tmp_path / "folder", white=255, count=3)
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "folder" / "up").symlink_to(tmp_path / "link")

    files = find_image_files(tmp_path / "link")

    assert [path.name for path in files.paths] == ["0.png", "1.png", "2.png"]
    assert files.left_out == "1 link to a folder already read (up)"


def test_everything_left_out_is_counted_in_one_line(tmp_path, caplog):
    """Dangling links and other files are counted, with examples; the images beside them are read."""
    write_masks(tmp_path, white=255)
    for index in range(5):
        (tmp_path / f"gone{index}.png").symlink_to("/nowhere")
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / ".hidden").write_text("hidden")

    with caplog.at_level(logging.WARNING):
        dataset = load(tmp_path)

    assert len(rows(dataset)) == 100
    assert len(caplog.records) == 1
    assert "100 image files found; left out: " in caplog.text
    assert "5 links to nothing (gone0.png, gone1.png, gone2.png, ...)" in caplog.text
    assert "1 file of another kind (notes.txt)" in caplog.text
    assert ".hidden" not in caplog.text


def test_folder_of_other_files_only(tmp_path):
    """Without any image file the error lists the other files found."""
    (tmp_path / "photo.raw").write_bytes(b"raw")

    with pytest.raises(DataError, match=r"no image files in .*left out: 1 file of another kind \(photo.raw\)"):
        load(tmp_path)
