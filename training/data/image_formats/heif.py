"""Recognizes AVIF and HEIC files and hides their metadata from the decoders. Decodes nothing."""

import struct
from typing import Final

from training.errors import DataError

_AVIF: Final = frozenset({b"avif", b"avis"})
_HEIC: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})

_METADATA_ITEMS: Final = frozenset({b"Exif", b"mime", b"uri "})
_IGNORED_ITEM: Final = b"skip"


class MissingHeicError(DataError):
    """A file is HEIC, and the optional decoder isn't installed."""


def find_heif_format(data: bytes) -> str | None:
    """Return `AVIF` or `HEIF` as the brands of the file say; None if it has neither."""
    if data[4:8] != b"ftyp":
        return None
    size = min(int.from_bytes(data[:4]), 256)
    brands = [data[8:12], *(data[start : start + 4] for start in range(16, size, 4))]
    for brand in brands:
        if brand in _AVIF:
            return "AVIF"
        if brand in _HEIC:
            return "HEIF"
    return None


def import_heif_plugin() -> None:
    """Register Pillow's plugin for HEIC.

    Raises:
        MissingHeicError: It isn't installed.
    """
    try:
        import pillow_heif  # noqa: PLC0415 - optional, and imports libheif
    except ImportError:
        raise MissingHeicError(
            "is HEIC, which needs the extra heic: run `pip install 'triptych[heic]'`, or save it as JPEG or PNG"
        ) from None
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def without_heif_metadata(data: bytes) -> bytes:
    """Return the file with the types of its EXIF and XMP items overwritten, so that no decoder parses them.

    Rotation is a property of the image item (`irot`, `imir`) and stays. Source: ISO/IEC 23008-12, sections 6.5 and 8.
    """
    for kind, start, end in boxes(data, 0, len(data)):
        if kind == b"meta":
            for inner, inner_start, inner_end in boxes(data, start + 4, end):
                if inner == b"iinf":
                    return _overwrite_types(data, inner_start, inner_end)
    return data


def _overwrite_types(data: bytes, start: int, end: int) -> bytes:
    changed = bytearray(data)
    count_bytes = 2 if data[start : start + 1] == b"\0" else 4
    for kind, entry, entry_end in boxes(data, start + 4 + count_bytes, end):
        # Version 2 has item ids of two bytes, version 3 of four; then follow two bytes of protection, and the type.
        at = entry + 4 + (2 if data[entry : entry + 1] == b"\2" else 4) + 2
        if kind == b"infe" and at + 4 <= entry_end and data[at : at + 4] in _METADATA_ITEMS:
            changed[at : at + 4] = _IGNORED_ITEM
    return bytes(changed)


def boxes(data: bytes, start: int, end: int) -> list[tuple[bytes, int, int]]:
    """Return kind, start and end of the contents of each box; boxes from the first impossible one are left out."""
    spans: list[tuple[bytes, int, int]] = []
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        header = 8
        if size == 1 and start + 16 <= end:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            header = 16
        stop = end if size == 0 else start + size
        if stop < start + header or stop > end:
            break
        spans.append((kind, start + header, stop))
        start = stop
    return spans
