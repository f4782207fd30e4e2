"""The files of a multipart form. Decodes none of them."""

import asyncio
from collections.abc import AsyncGenerator

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.codecs.body import Body
from app.codecs.limits import Limits
from app.codecs.pictures import PictureFile
from app.codecs.wording import glimpse, wrong_value
from app.exceptions import MalformedBodyError, RequestError, TooLargeError

_FIELD = "files"

# A form needs no text at all; some are let in to be named in the error.
_MAX_TEXT_FIELDS = 16

# The parser is written in Python; between two pieces of this size other requests get their turn.
_PIECE_BYTES = 2**16


async def parse_form(body: Body, *, content_type: str, limits: Limits) -> tuple[PictureFile, ...]:
    """Return the files of the field `files`, in order.

    Raises:
        MalformedBodyError: It isn't a whole multipart form.
        InvalidValueError: It has no `files`, or something else.
        TooLargeError: It has too many files.
    """
    headers = Headers(raw=[(b"content-type", content_type.encode("latin-1", "replace"))])
    parser = _FormParser(
        headers,
        _pieces(body),
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
        return await _read_files(form)
    except MultiPartException as error:
        raise _as_request_error(error, limits) from error
    finally:
        parser.close()


class _FormParser(MultiPartParser):
    """Knows whether the last boundary came: without it, the parser silently drops the last part."""

    has_ended = False

    def on_end(self) -> None:
        self.has_ended = True

    def close(self) -> None:
        """Close all files, also those of a part that was cut short, which no form holds."""
        for file in self._files_to_close_on_error:
            file.close()


async def _pieces(body: Body) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(body), _PIECE_BYTES):
        yield bytes(body[start : start + _PIECE_BYTES])
        await asyncio.sleep(0)


async def _read_files(form: FormData) -> tuple[PictureFile, ...]:
    files: list[PictureFile] = []
    for name, part in form.multi_items():
        if name != _FIELD:
            raise wrong_value("body", f"has the field {glimpse(name)}: expected only files, under the name {_FIELD}")
        where = f"body.{_FIELD}[{len(files)}]"
        if not isinstance(part, UploadFile):
            raise wrong_value(where, "is text: expected a file, with a filename")
        files.append(PictureFile(where, await part.read()))
    if not files:
        raise wrong_value(f"body.{_FIELD}", "is missing: expected one or more image files")
    return tuple(files)


def _as_request_error(error: MultiPartException, limits: Limits) -> RequestError:
    # The parser has one exception for everything: only its message tells why.
    if error.message.startswith("Too many files"):
        return TooLargeError(f"body.{_FIELD} holds too many files: send at most {limits.max_images} at a time")
    if error.message.startswith("Too many fields"):
        return wrong_value("body", f"has text fields: expected only files, under the name {_FIELD}")
    return MalformedBodyError("the body isn't a valid multipart form: send one with a boundary and named parts")
