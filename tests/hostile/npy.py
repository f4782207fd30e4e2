"""Hostile and odd npy and npz files, each with the expected response."""

import io
import pickle
import zipfile

import numpy as np

from tests.hostile.base import IMAGE, MAX_IMAGES, NPY, Request
from tests.support.app import npy

DATA = IMAGE.tobytes()


def npy_file(data=DATA, *, version=1, padding=0, **changes):
    """Return an npy file with any header at all."""
    fields = {"descr": "'<f4'", "fortran_order": "False", "shape": "(784,)"} | changes
    header = ("{" + ", ".join(f"'{name}': {text}" for name, text in fields.items()) + "}").encode() + b" " * padding
    length = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


def npz(*arrays):
    """Return an npz file of arrays."""
    file = io.BytesIO()
    np.savez(file, *arrays)
    return file.getvalue()


def zipped(content, method=zipfile.ZIP_STORED):
    """Return a zip archive of one file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("arr_0.npy", content)
    return file.getvalue()


def with_flag(archive):
    """Return the archive with its file marked as encrypted."""
    at = archive.rindex(b"PK\1\2") + 8
    return archive[:at] + b"\1\0" + archive[at + 2 :]


def with_declared_size(archive, size):
    """Return the archive with another uncompressed size in its directory."""
    at = archive.rindex(b"PK\1\2") + 24
    return archive[:at] + size.to_bytes(4, "little") + archive[at + 4 :]


def pixels(dtype, value=1, shape=(1, 784)):
    """Return an npy file whose items are all the same."""
    return npy(np.full(shape, value, dtype))


class Unwanted:
    """An object that would end the process if it were unpickled."""

    def __reduce__(self):
        return __import__("os").abort, ()


MALFORMED = {
    "nothing": (b"", "is empty"),
    "the magic alone": (b"\x93NUMPY", "doesn't begin as one"),
    "text": (b"0.5 0.5", "doesn't begin as one"),
    "npz that is cut short": (npz(IMAGE)[:-1], "its end is missing"),
    "npz without a directory": (b"PK\3\4" + bytes(100), "its end is missing"),
    "npz with a wrong checksum": (npz(IMAGE).replace(DATA[300:308], bytes(8)), "broken or cut short"),
    "npz of zip64": (npz(IMAGE)[:-22] + b"PK\6\7" + bytes(16) + npz(IMAGE)[-22:], "its directory"),
    "npz of nothing": (b"PK\3\4" + b"PK\5\6" + bytes(18), "a zip archive without files"),
    "npz of text": (zipped(b"hello"), "its only file, 'arr_0.npy', isn't an array"),
    "npz that is encrypted": (with_flag(npz(IMAGE)), "encrypted"),
    "npz by another method": (zipped(npy(IMAGE), zipfile.ZIP_BZIP2), "otherwise than by deflate"),
    "version 4": (npy_file(version=4), "version"),
    "no data": (npy_file(b""), "shorter than its header says"),
    "a byte too few": (npy(IMAGE)[:-1], "shorter than its header says"),
    "a byte too many": (npy(IMAGE) + b"\0", "with 1 byte after the data"),
    "two files": (npy(IMAGE) * 2, "with 3264 bytes after the data"),
    "a shape of terabytes": (npy_file(shape="(999999999999, 784)"), "shorter than its header says"),
    "a shape beyond 64 bits": (npy_file(shape="(4294967296, 4294967296, 784)"), "shorter than its header says"),
    "a shape of nothing beyond 64 bits": (npy_file(b"", shape="(0, 99999999999999999999)"), "isn't possible"),
    "a shape below 0": (npy_file(shape="(-1, 784)"), "isn't a tuple"),
    "a shape of floats": (npy_file(shape="(784.0,)"), "isn't a tuple"),
    "a shape of 70 axes": (npy_file(shape="(" + "1, " * 70 + "784)"), "isn't a tuple"),
    "a header of 60,000 bytes": (npy_file(padding=60_000), "header is too long"),
    "a header of 600,000 bytes": (npy_file(version=2, padding=600_000), "header is too long"),
    "a header that is code": (npy_file(descr="__import__('os').abort()"), "header can't be read"),
    "a header nested 2,000 deep": (npy_file(descr="(" * 2000), "header can't be read"),
    "a header without a member": (npy_file().replace(b"'shape'", b"'shapf'"), "isn't a dictionary"),
}

WRONG = {
    "objects": (npy_file(pickle.dumps(Unwanted()), descr="'|O'"), "never unpickled"),
    "objects as numpy saves them": (npy(np.array([Unwanted()])), "never unpickled"),
    "a structure": (npy(np.zeros(784, [("a", "f4")])), "structured dtype"),
    "bool": (pixels(bool), "uint8 from 0 to 255 or floats"),
    "complex": (pixels(complex), "'<c16'"),
    "bytes": (pixels("S1"), "'|S1'"),
    "text items": (pixels("U1"), "'<U1'"),
    "dates": (pixels("M8[s]"), "M8[s]"),
    "long doubles": (pixels(np.longdouble), "floats from 0 to 1"),
    "int64": (pixels(np.int64), "has dtype int64: expected uint8"),
    "int8": (pixels(np.int8), "has dtype int8: expected uint8"),
    "big-endian uint16": (pixels(">u2"), "expected uint8"),
    "no axes": (npy(np.float32(0.5)), "has shape ()"),
    "no rows": (npy(np.zeros((0, 784), np.float32)), "body holds no images: expected at least one"),
    "npz of no rows": (npz(np.zeros((0, 28, 28), np.float32)), "body holds no images: expected at least one"),
    "no columns": (npy(np.zeros((1, 0), np.float32)), "has shape (1, 0)"),
    "rows too long": (pixels(np.uint8, shape=(28, 29)), "has shape (28, 29)"),
    "a channel": (pixels(np.uint8, shape=(2, 1, 28, 28)), "has shape (2, 1, 28, 28)"),
    "NaN": (pixels("f4", np.nan), "value nan at pixel 0"),
    "infinity": (pixels("f2", np.inf), "value inf at pixel 0"),
    "a NaN that signals": (npy(np.frombuffer(b"\x01\x00\x80\x7f" * 784, np.float32)), "value nan at pixel 0"),
    "floats to 255": (npy(IMAGE * 255), "divide 0..255 by 255"),
    "a little over 1": (pixels("f8", 1 + 1e-12), "1.000000000001 at pixel 0: expected 0 to 1 (clip"),
    "npz of two arrays": (npz(IMAGE, IMAGE), "an npz file of 2 arrays: expected one"),
    "npz of objects": (zipped(npy(np.array([Unwanted()]))), "never unpickled"),
    "a little under 0": (pixels("f4", -1e-45), "at pixel 0"),
}

ZEROS = zipped(npy(np.zeros((10_000, 784), np.float64)), zipfile.ZIP_DEFLATED)

TOO_LARGE = {
    "one image too many": (pixels(np.uint8, shape=(MAX_IMAGES + 1, 784)), "at most 32"),
    "npz that inflates": (
        zipped(npy(np.zeros((10_000, 784), np.float64)), zipfile.ZIP_DEFLATED),
        "npz file's array is over",
    ),
    "npz that announces terabytes": (with_declared_size(npz(IMAGE), 2**32 - 2), "npz file's array is over"),
    "bytes too many": (pixels("f8", shape=(300, 784)), "1048576 bytes"),
}

STACK = np.stack([IMAGE.reshape(28, 28), IMAGE[::-1].reshape(28, 28)])

HALVES = np.linspace(0, 1, 784).astype(np.float16)

BYTES = np.arange(784).astype(np.uint8)

ODD = {
    "Fortran order": (npy(np.asfortranarray(STACK)), STACK),
    "big-endian": (npy(IMAGE.astype(">f4")), IMAGE),
    "float64": (npy(IMAGE.astype("f8")), IMAGE),
    "big-endian float64 in Fortran order": (npy(np.asfortranarray(STACK.astype(">f8"))), STACK),
    "float16": (npy(HALVES), HALVES.astype(np.float32)),
    "uint8": (npy(BYTES), BYTES / np.float32(255)),
    "version 2": (npy_file(version=2), IMAGE),
    "version 3": (npy_file(version=3), IMAGE),
    "a header of 3,000 spaces": (npy_file(padding=3000), IMAGE),
    "the smallest numbers": (pixels("f4", 1e-45), np.full(784, 1e-45, np.float32)),
    "npz": (npz(IMAGE), IMAGE),
    "npz compressed": (zipped(npy(STACK), zipfile.ZIP_DEFLATED), STACK),
    "a dtype by its name": (npy_file(descr="'float32'"), IMAGE),
    "negative zero": (pixels("f4", -0.0), np.zeros(784, np.float32)),
}

REQUESTS = [
    *(
        Request(name=f"npy, {name}", status=status, words=words, content=content, headers=NPY)
        for status, bodies in ((400, MALFORMED), (422, WRONG), (413, TOO_LARGE))
        for name, (content, words) in bodies.items()
    ),
    *(
        Request(name=f"npy, {name}", status=200, images=images, content=content, headers=NPY)
        for name, (content, images) in ODD.items()
    ),
]
