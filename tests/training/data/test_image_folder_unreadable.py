"""`images:FOLDER` with image files that can't be read: a few are left out and named, many are refused."""

import logging

import numpy as np
import pytest
from PIL import Image

from tests.support.images.image_files import encode, scene
from tests.support.images.image_folders import load_images, sides, write_noise
from training.errors import DataError


def test_broken_picture_among_two_hundred_is_listed_and_left_out(tmp_path, caplog):
    """Up to 1 % may be unreadable: the run goes on, and each is named with the reason."""
    write_noise(tmp_path, 198)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "broken.jpg").write_bytes(encode(scene(), "JPEG")[:300])
    (tmp_path / "text.png").write_text("not a picture")

    with caplog.at_level(logging.WARNING):
        dataset = load_images(tmp_path)

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
        load_images(tmp_path)


def test_picture_with_pixels_that_are_not_finite_is_unreadable(tmp_path):
    """A TIFF with NaN in it is named, with the reason, and isn't taken as black."""
    write_noise(tmp_path, 20)
    (tmp_path / "nan.tiff").write_bytes(encode(Image.fromarray(np.full((5, 6), np.nan, np.float32)), "TIFF"))

    with pytest.raises(DataError, match=r"1 of 21 image files can't be read: nan.tiff \(has pixels that aren't finite"):
        load_images(tmp_path)
