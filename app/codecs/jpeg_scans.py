"""Counts the scans of a JPEG file without decoding it. Judges nothing else about the file."""

import re

_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9

# In a scan's data 0xFF is followed by a stuffed 0, by a restart marker, or by more 0xFF.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")


def count_scans(data: bytes, *, at_most: int) -> int:
    """Return how many scans the first picture of a JPEG file has; counting stops beyond `at_most`.

    A progressive file paints the whole picture once a scan: encoders make about ten, but a hostile file
    can hold a scan in 20 bytes, each of which costs a pass over all pixels.
    """
    scans = 0
    position = 0
    while scans <= at_most and (match := _MARKER.search(data, position)):
        marker = match[1][0]
        if marker == _END_OF_IMAGE:
            break
        scans += marker == _START_OF_SCAN
        # The segment's length counts its own two bytes; skipping it leaves out a thumbnail's scans.
        position = match.end() + max(int.from_bytes(data[match.end() : match.end() + 2]), 2)
    return scans
