"""npz files that aren't those of one array: the message says what the archive holds."""

import io
import zipfile

import numpy as np
import pytest

from app.codecs.npz import parse_npz
from app.errors import InvalidValueError, MalformedBodyError


def archive(**files):
    """Return a zip archive of files with these names and contents."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (archive(), "it is a zip archive without files"),
        (archive(notes=b"text"), "its only file, 'notes', isn't an array"),
    ],
)
def test_archive_without_an_array_is_named_as_one(body, message):
    """An empty archive, and one of another file, are never called a broken npy file."""
    with pytest.raises(MalformedBodyError, match=f"isn't a valid npz file, {message}"):
        parse_npz(body, max_bytes=1000)


def test_several_arrays_are_counted():
    """Two arrays are one too many."""
    file = io.BytesIO()
    np.savez(file, np.zeros(2), np.zeros(2))

    with pytest.raises(InvalidValueError, match="an npz file of 2 arrays"):
        parse_npz(file.getvalue(), max_bytes=1000)
