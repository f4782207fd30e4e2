"""Reads the sizes of the AV1 frames in an AVIF file: they may be larger than the file announces. Decodes nothing.

Sources: ISO/IEC 14496-12 (boxes), AV1 Bitstream & Decoding Process, sections 5.3 to 5.5 (OBUs).
"""

import struct
from collections.abc import Callable, Iterator
from typing import Final

from training.data.image_formats.heif import boxes

_SEQUENCE_HEADER: Final = 1
_MAX_HEADER_BYTES: Final = 1024
"""Beyond the longest sequence header, with 32 operating points."""

_MAX_EXTENTS: Final = 10_000
_MAX_OBUS: Final = 100_000

_OFFSET_BOXES: Final = {b"stco": ">I", b"co64": ">Q"}
_IN_THE_FILE, _IN_IDAT = 0, 1


def count_frame_pixels(data: bytes) -> int:
    """Return the pixels of the largest frame, or half of those of all AV1 items and tracks together if that is more.

    Color and alpha of a picture are two frames of its size. A hostile file can have a grid of large ones.

    Raises:
        struct.error: A box is cut short, or there are more items or OBUs than in any picture.
        IndexError: The same.
    """
    frames: list[int] = []
    for kind, start, end in boxes(data, 0, len(data)):
        if kind == b"meta":
            frames += map(_largest_frame, _items(data, start + 4, end))
        elif kind == b"moov":
            frames += map(_largest_frame, _first_samples(data, start, end))
    return max([sum(frames) // 2, *frames])


def _items(data: bytes, start: int, end: int) -> Iterator[bytes]:
    """Yield the content of each item in a `meta` box whose type is `av01`."""
    inner = {kind: (box_start, box_end) for kind, box_start, box_end in boxes(data, start, end)}
    if b"iinf" not in inner or b"iloc" not in inner:
        return
    av1_items = _av1_items(data, *inner[b"iinf"])
    unread = len(data)
    idat, _ = inner.get(b"idat", (0, 0))
    for item, method, extents in _locations(data, inner[b"iloc"][0]):
        if item in av1_items and method in {_IN_THE_FILE, _IN_IDAT}:
            base = idat if method == _IN_IDAT else 0
            # A length of 0 reaches to the end of the file.
            content = b"".join(data[base + at : base + at + length if length else None] for at, length in extents)
            unread -= len(content)
            if unread < 0:
                raise struct.error("items overlap")
            yield content


def _av1_items(data: bytes, start: int, end: int) -> set[int]:
    items = set()
    count_bytes = 2 if data[start] == 0 else 4
    for kind, entry, _ in boxes(data, start + 4 + count_bytes, end):
        id_bytes = 2 if data[entry] == 2 else 4
        at = entry + 4 + id_bytes + 2
        if kind == b"infe" and data[at : at + 4] == b"av01":
            items.add(int.from_bytes(data[entry + 4 : entry + 4 + id_bytes]))
    return items


def _locations(data: bytes, start: int) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Yield each item of an `iloc` box with its construction method, and offset and length of each extent."""
    version, sizes, more_sizes = data[start], data[start + 4], data[start + 5]
    offset_bytes, length_bytes, base_bytes = sizes >> 4, sizes & 15, more_sizes >> 4
    index_bytes = more_sizes & 15 if version else 0
    id_bytes = 2 if version < 2 else 4
    position, left = start + 6, _MAX_EXTENTS

    def read(count: int) -> int:
        nonlocal position
        position += count
        if position > len(data):
            raise struct.error("the iloc box is cut short")
        return int.from_bytes(data[position - count : position])

    for _ in range(read(id_bytes)):
        item = read(id_bytes)
        method = read(2) & 15 if version else _IN_THE_FILE
        read(2)  # whose file: this one
        base = read(base_bytes)
        extents = []
        count = read(2)
        left -= count
        if left < 0:
            raise struct.error("there are too many extents")
        for _ in range(count):
            read(index_bytes)
            extents.append((base + read(offset_bytes), read(length_bytes)))
        yield item, method, extents


def _first_samples(data: bytes, start: int, end: int) -> Iterator[bytes]:
    """Yield the first sample of each track in a `moov` box, which is the first frame."""
    for kind, track, track_end in boxes(data, start, end):
        if kind != b"trak":
            continue
        first, last = track, track_end
        for name in (b"mdia", b"minf", b"stbl"):
            first, last = next((box[1:] for box in boxes(data, first, last) if box[0] == name), (0, 0))
        tables = {inner: table for inner, table, _ in boxes(data, first, last)}
        for inner, layout in _OFFSET_BOXES.items():
            if inner in tables and b"stsz" in tables:
                (at,) = struct.unpack_from(layout, data, tables[inner] + 8)
                # One size of all samples; or 0, their count, and a size of each.
                same, _, size = struct.unpack_from(">III", data, tables[b"stsz"] + 4)
                yield data[at : at + (same or size)]


def _largest_frame(content: bytes) -> int:
    """Return the most pixels of a frame that the sequence headers among the OBUs allow."""
    largest = position = count = 0
    while position < len(content):
        count += 1
        if count > _MAX_OBUS:
            raise struct.error("there are too many OBUs")
        header = content[position]
        position += 2 if header & 4 else 1
        if header & 0x80:  # the forbidden bit: these are no OBUs
            break
        size = len(content) - position
        if header & 2:
            size, position = _leb128(content, position)
        if header >> 3 & 15 == _SEQUENCE_HEADER:
            largest = max(largest, _frame_pixels(content[position : position + min(size, _MAX_HEADER_BYTES)]))
        position += size
    return largest


def _leb128(content: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(content[position : position + 8]):
        value |= (byte & 127) << 7 * index
        position += 1
        if byte < 128:
            break
    return value, position


def _frame_pixels(sequence_header: bytes) -> int:
    """Return the largest width times the largest height of a sequence header."""
    bits, left = int.from_bytes(sequence_header), 8 * len(sequence_header)

    def read(count: int) -> int:
        nonlocal left
        left -= count
        if left < 0:
            raise struct.error("a sequence header is cut short")
        return bits >> left & (1 << count) - 1

    read(4)  # profile, still picture
    if read(1):  # reduced header
        read(5)
    else:
        delay_bits = _skip_timing(read)
        has_display_delay = read(1)
        for _ in range(read(5) + 1):
            read(12)
            if read(5) > 7:
                read(1)
            if delay_bits and read(1):
                read(2 * delay_bits + 1)
            if has_display_delay and read(1):
                read(4)
    width_bits, height_bits = read(4) + 1, read(4) + 1
    return (read(width_bits) + 1) * (read(height_bits) + 1)


def _skip_timing(read: Callable[[int], int]) -> int:
    """Skip the timing info, if there is any; return the bits of a decoder buffer's delay, 0 without a decoder model."""
    if not read(1):
        return 0
    read(64)
    if read(1):
        zeros = 0
        while not read(1):
            zeros += 1
        read(zeros)
    if not read(1):
        return 0
    delay_bits = read(5) + 1
    read(32 + 5 + 5)
    return delay_bits
