"""Reads the files of a multipart form. Decodes none of them."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from typing import TypeVar

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.codecs.body import Body
from app.codecs.error_messages import invalid_value, truncated
from app.codecs.image_files import ImageFile
from app.codecs.limits import Limits
from app.errors import InvalidValueError, MalformedBodyError, RequestError, TooLargeError, UnsupportedContentError

T = TypeVar("T")

_FIELD = "files"
_OPTIONS = "options go into the query, such as ?seed=7"

# A form needs no text fields; some are accepted, to be named in the error.
_MAX_TEXT_FIELDS = 16

_PLAIN_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})

# RFC 7578 (section 4.2) forbids it, but some clients send it for names that aren't ASCII.
_EXTENDED_FILENAME = re.compile(rb";[ \t]*filename\*[^=;]*=", re.IGNORECASE)
_QUOTED = re.compile(rb'"(?:\\.|[^"\\])*"?')

# The parser is written in Python; between two chunks of this size other requests run.
_CHUNK_BYTES = 2**16


async def parse_form(body: Body, *, content_type: str, limits: Limits) -> tuple[ImageFile, ...]:
    """Return the files of the field `files`, in order.

    Raises:
        MalformedBodyError: It isn't a whole multipart form.
        InvalidValueError: It has no `files`, or other fields.
        TooLargeError: It has too many files.
        UnsupportedContentError: A file is encoded, in base64 for example.
    """
    return await _parse(body, content_type, limits, _read_files)


async def parse_named_files(
    body: Body, *, content_type: str, limits: Limits, names: Collection[str]
) -> dict[str, bytes]:
    """Return the files of a form by field name, of which it has one or none each; errors are those of `parse_form`."""

    async def read(form: FormData) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        for name, part in form.multi_items():
            if name not in names or name in files or not isinstance(part, UploadFile):
                expected = ", ".join(names)
                raise invalid_value("body", f"has the field {truncated(name)}: expected one file in each of {expected}")
            files[name] = await _read_file(part, f"body.{name}")
        return files

    return await _parse(body, content_type, limits, read)


async def _parse(body: Body, content_type: str, limits: Limits, read: Callable[[FormData], Awaitable[T]]) -> T:
    raw_content_type = content_type.encode("latin-1", "replace")
    parser = _FormParser(
        Headers(raw=[(b"content-type", raw_content_type)]),
        _chunks(body, _preamble_length(body, raw_content_type)),
        max_files=limits.max_images,
        max_fields=_MAX_TEXT_FIELDS,
        max_part_size=limits.max_body_bytes,
    )
    # The whole body is in memory already: a copy on disk would save nothing.
    parser.spool_max_size = limits.max_body_bytes
    try:
        form = await parser.parse()
        if not parser.has_ended:
            raise MalformedBodyError("the multipart body is cut short: send all of it, with its last boundary")
        return await read(form)
    except MultiPartException as error:
        raise _as_request_error(error, limits) from error
    finally:
        parser.close()


class _FormParser(MultiPartParser):
    """Records the last boundary: without it, the parser silently drops the last part.

    A part that has its filename only in the form of RFC 5987, `filename*=utf-8''a.png`, is a file too.
    """

    has_ended = False

    def on_headers_finished(self) -> None:
        disposition = self._current_part.content_disposition
        if (
            disposition
            and b"filename" not in parse_options_header(disposition)[1]
            and _EXTENDED_FILENAME.search(_QUOTED.sub(b"", disposition))
        ):
            # The name doesn't matter here.
            self._current_part.content_disposition = disposition + b'; filename=""'
        super().on_headers_finished()

    def on_end(self) -> None:
        self.has_ended = True

    def close(self) -> None:
        """Close all files, also those of a part that was cut short, which no form holds."""
        for file in self._files_to_close_on_error:
            file.close()


def _preamble_length(body: Body, content_type: bytes) -> int:
    """Return how many bytes before the first boundary are to be ignored (RFC 2046, section 5.1.1)."""
    boundary = b"--" + parse_options_header(content_type)[1].get(b"boundary", b"")
    position = -1 if body.startswith(boundary) else body.find(b"\r\n" + boundary)
    return 0 if position < 0 else position + len(b"\r\n")


async def _chunks(body: Body, first: int) -> AsyncGenerator[bytes, None]:
    for start in range(first, len(body), _CHUNK_BYTES):
        yield bytes(body[start : start + _CHUNK_BYTES])
        await asyncio.sleep(0)


async def _read_files(form: FormData) -> tuple[ImageFile, ...]:
    files: list[ImageFile] = []
    for name, part in form.multi_items():
        if name != _FIELD:
            raise _other_field(name, is_file=isinstance(part, UploadFile))
        where = f"body.{_FIELD}[{len(files)}]"
        if not isinstance(part, UploadFile):
            raise invalid_value(where, "is text: expected a file, with a filename")
        files.append(ImageFile(where, await _read_file(part, where)))
    if not files:
        raise invalid_value(f"body.{_FIELD}", "is missing: expected one or more image files")
    return tuple(files)


async def _read_file(part: UploadFile, where: str) -> bytes:
    """Return a part's bytes.

    Raises:
        UnsupportedContentError: They are encoded, which RFC 7578 (section 4.7) deprecates.
    """
    encoding = part.headers.get("content-transfer-encoding", "").strip().lower()
    if encoding not in _PLAIN_ENCODINGS:
        raise UnsupportedContentError(
            f"{where} has Content-Transfer-Encoding {truncated(encoding)}: expected the file's bytes as they are; "
            "send it decoded, without that header"
        )
    return await part.read()


def _other_field(name: str, *, is_file: bool) -> InvalidValueError:
    quoted = truncated(name)
    if is_file:
        return invalid_value("body", f"has a file in the field {quoted}: send it in the field {_FIELD}")
    return invalid_value("body", f"has the text field {quoted}: expected only files, in the field {_FIELD}; {_OPTIONS}")


def _as_request_error(error: MultiPartException, limits: Limits) -> RequestError:
    # The parser has one exception for all errors: only its message says which.
    if error.message.startswith("Too many files"):
        return TooLargeError(f"body.{_FIELD} holds too many files: send at most {limits.max_images} at a time")
    if error.message.startswith("Too many fields"):
        return invalid_value("body", f"has text fields: expected only files, under the name {_FIELD}; {_OPTIONS}")
    return MalformedBodyError("the body isn't a valid multipart form: send one with a boundary and named parts")
