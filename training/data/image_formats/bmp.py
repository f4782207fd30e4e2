"""Prepares BMP files for Pillow, which misreads some palettes. Decodes nothing."""

import struct
from typing import Final

_FILE_HEADER_BYTES: Final = 14
_CORE_HEADER_BYTES: Final = 12


def prepare_bmp(data: bytes) -> bytes:
    """Return the file with a first color of black one level bluer, which is still black in gray.

    Pillow (13.0) takes a palette of grays for no palette, and then reads 8 bits a pixel as 1 if there are two colors,
    and 4 bits as 8: see `greyscale` in `BmpImagePlugin._bitmap`.
    """
    if len(data) < _FILE_HEADER_BYTES + 16:
        return data
    (header_bytes,) = struct.unpack_from("<I", data, _FILE_HEADER_BYTES)
    is_core = header_bytes == _CORE_HEADER_BYTES
    (depth,) = struct.unpack_from("<H", data, _FILE_HEADER_BYTES + (10 if is_core else 14))
    palette = _FILE_HEADER_BYTES + header_bytes
    if depth not in {4, 8} or data[palette : palette + 3] != bytes(3):
        return data
    return data[:palette] + b"\1" + data[palette + 1 :]
