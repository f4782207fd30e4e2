"""Reads a request's body: counts its bytes while they arrive, and decodes its content encoding. Parses nothing."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Iterator

from app.codecs.error_messages import truncated
from app.codecs.limits import Limits
from app.errors import MalformedBodyError, TooLargeError, UnsupportedContentError

# Each further member of a gzip file costs a decompressor, so their number is bounded.
_MAX_GZIP_MEMBERS = 16

_PIECE_BYTES = 64 * 1024
"""Maximum number of bytes decompressed at a time, and reserved then."""

_GZIP_MAGIC = b"\x1f\x8b"

_GZIP_WINDOW = 16 + zlib.MAX_WBITS

Body = bytes | bytearray
"""A whole body: received at once, or concatenated."""


async def read_body(
    stream: AsyncIterator[bytes],
    *,
    content_length: str | None,
    content_encoding: str | None,
    limits: Limits,
    reserve: Callable[[int], None] = lambda _: None,
) -> Body:
    """Return the whole body, decompressed as `content_encoding` says.

    `reserve` is called with the number of bytes of each piece that is decompressed, and may raise.

    Raises:
        TooLargeError: The declared length, the body, or its decompressed size is over the limit.
        UnsupportedContentError: The encoding isn't gzip or deflate.
        MalformedBodyError: The length isn't a number, or the compressed data is broken or cut short.
    """
    encoding = _parse_encoding(content_encoding)
    _check_declared_length(content_length, limits)
    body = bytearray()
    async for chunk in stream:
        if len(body) + len(chunk) > limits.max_body_bytes:
            raise _too_large(limits)
        body += chunk
    if encoding == "identity":
        return body
    inflated = bytearray()
    pieces = _inflate(memoryview(body), encoding)
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        reserve(len(piece))
        inflated += piece
        if len(inflated) > limits.max_body_bytes:
            raise _too_large(limits)
    return inflated


def _parse_encoding(content_encoding: str | None) -> str:
    encoding = (content_encoding or "").strip().lower() or "identity"
    if encoding in ("identity", "gzip", "deflate"):
        return encoding
    if encoding == "x-gzip":  # RFC 9110, section 8.4.1.3: the same as gzip.
        return "gzip"
    raise UnsupportedContentError(
        f"Content-Encoding is {truncated(encoding)}: expected gzip or deflate, applied once, or none"
    )


def _check_declared_length(content_length: str | None, limits: Limits) -> None:
    if content_length is None:
        return
    if not (content_length.isascii() and content_length.isdecimal()):
        raise MalformedBodyError(f"Content-Length is {truncated(content_length)}: expected a whole number of bytes")
    # Comparing digits first: int() refuses more than 4,300 of them.
    digits = content_length.lstrip("0")
    if len(digits) > len(str(limits.max_body_bytes)) or int(digits or "0") > limits.max_body_bytes:
        raise _too_large(limits)


def _inflate(body: memoryview, encoding: str) -> Iterator[bytes]:
    """Yield the decompressed body in pieces of at most `_PIECE_BYTES`.

    Raises:
        MalformedBodyError: The compressed data is broken or cut short, or more follows it.
    """
    position = 0
    for _ in range(_MAX_GZIP_MEMBERS):
        window = _GZIP_WINDOW if encoding == "gzip" else _deflate_window(bytes(body[:2]))
        decompressor = zlib.decompressobj(window)
        while not decompressor.eof:
            data = decompressor.unconsumed_tail
            if not data:
                data = bytes(body[position : position + _PIECE_BYTES])
                position += len(data)
            try:
                piece = decompressor.decompress(data, _PIECE_BYTES)
            except zlib.error as error:
                raise MalformedBodyError(
                    f"the body isn't valid {encoding} data: compress it again and resend"
                ) from error
            if piece:
                yield piece
            elif not data:
                raise MalformedBodyError(f"the body's {encoding} data is cut short: send all of it")
        position -= len(decompressor.unused_data)
        if position == len(body):
            return
        if encoding != "gzip" or bytes(body[position : position + 2]) != _GZIP_MAGIC:
            break
    raise MalformedBodyError(f"the body has more after the end of its {encoding} data: send one compressed stream")


def _deflate_window(body: bytes) -> int:
    # HTTP's deflate has a zlib header (RFC 1950), but clients send it raw as well (RFC 9110, section 8.4.1.2).
    has_header = len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2]) % 31 == 0
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS


def _too_large(limits: Limits) -> TooLargeError:
    return TooLargeError(f"the body is over {limits.max_body_bytes} bytes, the most that is read: send less at a time")
