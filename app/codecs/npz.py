"""Reads the only array of an npz file, as numpy.savez and numpy.savez_compressed write it. Writes none."""

import io
import zipfile
import zlib

from numpy import ndarray
from numpy.lib.format import MAGIC_PREFIX

from app.codecs.body import Body
from app.codecs.error_messages import invalid_value, truncated
from app.codecs.npy import parse_npy
from app.errors import InvalidValueError, MalformedBodyError, TooLargeError

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
"""First bytes of a zip archive; the second of an empty one."""

_END = b"PK\x05\x06"
_END_BYTES = 22
_ZIP64_LOCATOR = b"PK\x06\x07"
_ZIP64_LOCATOR_BYTES = 20

# The entry of one array takes some 60 bytes of the directory.
_MAX_DIRECTORY_BYTES = 4096

_ENCRYPTED = 0x1
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


def parse_npz(body: Body, *, max_bytes: int) -> ndarray:
    """Return the array of an npz file, which holds exactly one; errors are also those of `parse_npy`.

    Nothing is decompressed before the declared size is checked, and never more than that.

    Raises:
        MalformedBodyError: It isn't a whole npz file.
        InvalidValueError: It holds several arrays.
        TooLargeError: The array is over `max_bytes`.
    """
    _check_directory(bytes(body[-_END_BYTES - _ZIP64_LOCATOR_BYTES :]))
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            (member,) = archive.infolist()
            if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
                raise _malformed("its array is encrypted, or compressed otherwise than by deflate")
            if member.file_size > max_bytes:
                raise TooLargeError(f"the npz file's array is over {max_bytes} bytes: send fewer items at a time")
            with archive.open(member) as file:
                content = file.read(member.file_size)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError):
        raise _malformed("its zip archive is broken or cut short") from None
    if not content.startswith(MAGIC_PREFIX):
        raise _malformed(f"its only file, {truncated(member.filename)}, isn't an array")
    return parse_npy(content)


def _check_directory(tail: bytes) -> None:
    """Check the end of the archive: zipfile reads a directory of any length, 46 bytes of body for each entry."""
    end = tail[-_END_BYTES:]
    if not end.startswith(_END) or len(end) < _END_BYTES:
        raise _malformed("its end is missing")
    count = int.from_bytes(end[10:12], "little")
    if count > 1:
        raise _several(count)
    is_zip64 = tail.startswith(_ZIP64_LOCATOR)
    if count == 0:
        raise _malformed("it is a zip archive without files")
    if count != 1 or is_zip64 or int.from_bytes(end[12:16], "little") > _MAX_DIRECTORY_BYTES:
        raise _malformed("its directory isn't that of one array")


def _several(count: int) -> InvalidValueError:
    return invalid_value("body", f"is an npz file of {count} arrays: expected one; send it as an npy file")


def _malformed(why: str) -> MalformedBodyError:
    return MalformedBodyError(f"the body isn't a valid npz file, {why}: send what numpy.savez writes of one array")
