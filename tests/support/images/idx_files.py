"""IDX files, the format of MNIST's files."""

import gzip
import struct

CODES = {"uint8": 0x08, "int16": 0x0B}
"""The format's byte for each type of array."""


def write_idx(path, array):
    """Write an array as an IDX file, gzipped if the name ends in .gz."""
    header = bytes([0, 0, CODES[array.dtype.name], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    content = header + array.astype(array.dtype.newbyteorder(">")).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
