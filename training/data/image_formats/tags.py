"""Reads integer tags of a TIFF directory, which EXIF is too. Reads only the tags it is given, and no pixels."""

import struct
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Final

_ORIENTATION: Final = 0x0112

# Types BYTE, SHORT, LONG, UNDEFINED, IFD, LONG8 and IFD8, and their letters for `struct`.
_LETTERS: Final[Mapping[int, str]] = {1: "B", 3: "H", 4: "I", 7: "B", 13: "I", 16: "Q", 18: "Q"}


@dataclass(frozen=True, slots=True)
class _Directory:
    """Layout of a directory: classic TIFF or BigTIFF."""

    order: str
    count_letter: str
    offset_letter: str
    offset: int


def read_tags(data: bytes, wanted: Container[int]) -> tuple[str, dict[int, tuple[int, ...]]]:
    """Return the byte order (`<` or `>`) and the wanted tags of the first directory.

    Tags of other types than integers are skipped.

    Raises:
        ValueError: The data don't begin as TIFF, or a value lies beyond their end.
        struct.error: The directory is cut short.
    """
    directory = _find_directory(data)
    order, offset = directory.order, directory.offset
    count_size, offset_size = struct.calcsize(directory.count_letter), struct.calcsize(directory.offset_letter)
    (count,) = struct.unpack_from(order + directory.count_letter, data, offset)
    entry_size = 4 + 2 * offset_size
    tags: dict[int, tuple[int, ...]] = {}
    for start in range(offset + count_size, offset + count_size + count * entry_size, entry_size):
        tag, kind, length = struct.unpack_from(f"{order}HH{directory.offset_letter}", data, start)
        letter = _LETTERS.get(kind)
        if tag not in wanted or tag in tags or letter is None or length == 0:
            continue
        at = start + 4 + offset_size
        if length * struct.calcsize(letter) > offset_size:
            (at,) = struct.unpack_from(order + directory.offset_letter, data, at)
        if at + length * struct.calcsize(letter) > len(data):
            raise ValueError(f"tag {tag} lies beyond the end")
        tags[tag] = struct.unpack_from(f"{order}{length}{letter}", data, at)
    return order, tags


def read_orientation(exif: object) -> int:
    """Return the orientation in an EXIF block, 1 to 8; 1 where it can't be found, whatever else the block holds."""
    if not isinstance(exif, bytes):
        return 1
    try:
        _, tags = read_tags(exif.removeprefix(b"Exif\0\0"), {_ORIENTATION})
    except (ValueError, struct.error):
        return 1
    return orientation_of(tags)


def orientation_of(tags: Mapping[int, tuple[int, ...]]) -> int:
    """Return the orientation among tags; 1 where there is none from 1 to 8."""
    orientation = tags.get(_ORIENTATION, (1,))[0]
    return orientation if 1 <= orientation <= 8 else 1


def _find_directory(data: bytes) -> _Directory:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        raise ValueError("no byte order mark")
    (version,) = struct.unpack_from(f"{order}H", data, 2)
    if version == 43:
        return _Directory(order, "Q", "Q", struct.unpack_from(f"{order}Q", data, 8)[0])
    if version != 42:
        raise ValueError(f"version {version}")
    return _Directory(order, "H", "I", struct.unpack_from(f"{order}I", data, 4)[0])
