"""Finds the image files in a folder and below it, links included. Opens none of them."""

import os
from collections import defaultdict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.counts import count_of

SUFFIXES: Final = frozenset(
    {
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
        *(".avif", ".heic", ".heif", ".hif"),
    }
)
"""Suffixes of image files, in any case."""

_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """Image files, and a report of everything else."""

    paths: list[Path]
    """Each file once, in the order of their names."""

    left_out: str
    """Numbers of files that aren't among the paths, by reason, with examples; empty if there are none."""


def find_image_files(folder: Path) -> FoundFiles:
    """Return the image files in a folder and below it. Links are followed; a file behind several is returned once.

    It is returned by its own path if that is in the folder, whatever the names of the links to it.

    Whatever begins with a dot is skipped: macOS leaves a `._photo.jpg` beside each photo on other disks.
    """
    left_out: dict[str, list[str]] = defaultdict(list)
    files = _walk(folder, left_out)
    paths: list[Path] = []
    seen: set[Path] = set()
    for path in sorted(files, key=lambda path: (path.is_symlink(), path)):
        reason = _reason_to_skip(path, seen)
        if reason is None:
            paths.append(path)
        else:
            left_out[reason].append(str(path.relative_to(folder)))
    return FoundFiles(sorted(paths), ", ".join(_describe(reason, names) for reason, names in left_out.items()))


def _walk(folder: Path, left_out: dict[str, list[str]]) -> list[Path]:
    """Return all files, and add the folders that aren't read to `left_out`."""

    def add_error(error: OSError) -> None:
        left_out["folder that can't be read"].append(os.path.relpath(error.filename, folder))

    paths: list[Path] = []
    seen: set[Path] = set()
    waiting = deque(
        [folder]
    )  # links to folders: read last, so that a folder is read by its own path if it has one here
    while waiting:
        top = waiting.popleft()
        for root, folders, files in os.walk(top, onerror=add_error):
            here = Path(root)
            if not _is_new(here, seen):  # perhaps a circle of links
                left_out["link to a folder already read"].append(str(here.relative_to(folder)))
                folders.clear()
                continue
            shown = [name for name in sorted(folders) if not name.startswith(".")]
            waiting += [here / name for name in shown if (here / name).is_symlink()]
            folders[:] = [name for name in shown if not (here / name).is_symlink()]
            paths += [here / name for name in files if not name.startswith(".")]
    return paths


def _reason_to_skip(path: Path, seen: set[Path]) -> str | None:
    if path.suffix.lower() not in SUFFIXES:
        return "file of another kind"
    if not path.exists():
        return "link to nothing"
    if not path.is_file():
        return "file of another kind"
    return None if _is_new(path, seen) else "link to a file already read"


def _is_new(path: Path, seen: set[Path]) -> bool:
    real = path.resolve()
    is_new = real not in seen
    seen.add(real)
    return is_new


def _describe(reason: str, names: list[str]) -> str:
    examples = ", ".join(names[:_EXAMPLES]) + (", ..." if len(names) > _EXAMPLES else "")
    noun, rest = reason.split(" ", 1)
    return f"{count_of(len(names), noun)} {rest} ({examples})"
