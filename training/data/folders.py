"""The folder that a data set's name contains. Reads none of its files."""

from pathlib import Path

from training.errors import DataError


def find_folder(name: str, folder: Path, *, content: str) -> Path:
    """Return the folder, with `~` expanded; `content` says what it should hold.

    Raises:
        DataError: There is no such folder.
    """
    reason = ""
    try:
        expanded = folder.expanduser()
        if expanded.is_dir():
            return expanded
    except OSError as error:
        reason = f" ({error.strerror})"
    except RuntimeError:  # `~` of an unknown user
        reason = " (there is no such user)"
    raise DataError(f"{name}: there is no folder {folder}{reason}; name one that holds {content}")
