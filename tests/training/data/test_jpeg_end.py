"""`training.data.image_formats.jpeg_end`: a missing end marker is supplied, missing data are not."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.support.images.image_files import encode, scene
from training.data.image_formats import open_image
from training.data.image_formats.jpeg_end import lacks_end, load_without_end

KINDS = {
    "baseline": {},
    "fine": {"quality": 100},
    "full color": {"subsampling": 0},
    "own tables": {"optimize": True},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 1},
    "restarts by row": {"restart_marker_rows": 1, "progressive": True},
}


def photo(mode):
    """Return a picture with some noise, whose sides are no multiples of a block."""
    noise = np.random.default_rng(0).normal(0, 8, (83, 97))
    levels = 128 + 60 * np.sin(np.arange(97) / 9) + 50 * np.cos(np.arange(83) / 7)[:, None] + noise
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8)).convert(mode)


def pixels(data):
    """Return the pixels that Pillow decodes from a whole file."""
    return np.asarray(Image.open(io.BytesIO(data)), int)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("kind", KINDS)
def test_missing_end_is_supplied(kind, mode):
    """A file without its end marker, with half of it, or with zeros in its place gives the same pixels."""
    data = encode(photo(mode), "JPEG", **KINDS[kind])

    for end in (data[:-2], data[:-1], data[:-2] + bytes(510)):
        assert lacks_end(end)
        np.testing.assert_array_equal(load_without_end(end), pixels(data))
        open_image(end).decode()


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("kind", KINDS)
def test_missing_data_are_not_supplied(kind, mode):
    """A file cut anywhere before is refused; if it isn't, the cut changes a few pixels by a level or two."""
    data = encode(photo(mode), "JPEG", **KINDS[kind])
    ends = {*range(len(data) - 60, len(data) - 2), *range(2, len(data) - 60, len(data) // 40)}
    accepted = []

    for end in sorted(ends):
        try:
            open_image(data[:end]).decode()
        except (OSError, SyntaxError, IndexError):
            continue
        accepted.append(end)

    assert all(end >= len(data) - 2 - 8 for end in accepted)
    for end in accepted:
        difference = abs(np.asarray(load_without_end(data[:end]), int) - pixels(data))
        assert difference.max() <= 2
        assert np.count_nonzero(difference) <= 2 * 16 * 16 * len(mode)


def test_missing_scans_are_not_supplied():
    """A progressive file that ends between two scans lacks detail, though the data of each scan are whole."""
    data = encode(photo("RGB"), "JPEG", progressive=True)
    scans = [index for index in range(len(data)) if data[index : index + 2] == b"\xff\xda"]

    assert len(scans) == 10
    for scan in scans[1:]:
        with pytest.raises(OSError, match="truncated"):
            open_image(data[:scan]).decode()


@pytest.mark.parametrize("after", [b"", b"junk", b"\xff\xda\0\2"])
def test_end_is_found(after):
    """A file with an end marker doesn't lack it, whatever follows, nor does one without a picture."""
    data = encode(scene(), "JPEG")

    assert not lacks_end(data + after)
    assert not lacks_end(data[:20] + after)
