"""Reads a request's body: counts its bytes as they come, and undoes its content encoding. Parses nothing."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable

from app.codecs.limits import Limits
from app.codecs.wording import glimpse
from app.exceptions import MalformedBodyError, TooLargeError, UnsupportedContentError

# Each further member of a gzip file costs a copy of what follows it, so their number is bounded.
_MAX_GZIP_MEMBERS = 16

# The most that deflate can save: https://zlib.net/zlib_tech.html
_MOST_INFLATION = 1032

_GZIP_WINDOW = 16 + zlib.MAX_WBITS

Body = bytes | bytearray
"""A whole body: as it came at once, or put together."""


async def read_body(
    stream: AsyncIterator[bytes],
    *,
    content_length: str | None,
    content_encoding: str | None,
    limits: Limits,
    hold: Callable[[int], None] = lambda _: None,
) -> Body:
    """Return the whole body, decompressed where `content_encoding` says so.

    Before it is decompressed `hold` is told how many bytes that may come to, and may raise.

    Raises:
        TooLargeError: The declared length, the body, or what it inflates to is over the limit.
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
    hold(min(len(body) * _MOST_INFLATION, limits.max_body_bytes))
    return await asyncio.to_thread(_inflate, bytes(body), encoding, limits)


def _parse_encoding(content_encoding: str | None) -> str:
    encoding = (content_encoding or "").strip().lower() or "identity"
    if encoding in ("identity", "gzip", "deflate"):
        return encoding
    if encoding == "x-gzip":  # RFC 9110, section 8.4.1.3: the same as gzip.
        return "gzip"
    raise UnsupportedContentError(
        f"Content-Encoding is {glimpse(encoding)}: expected gzip or deflate, applied once, or none"
    )


def _check_declared_length(content_length: str | None, limits: Limits) -> None:
    if content_length is None:
        return
    if not (content_length.isascii() and content_length.isdecimal()):
        raise MalformedBodyError(f"Content-Length is {glimpse(content_length)}: expected a whole number of bytes")
    # Comparing digits first: int() refuses more than 4,300 of them.
    digits = content_length.lstrip("0")
    if len(digits) > len(str(limits.max_body_bytes)) or int(digits or "0") > limits.max_body_bytes:
        raise _too_large(limits)


def _inflate(body: bytes, encoding: str, limits: Limits) -> bytes:
    inflated = bytearray()
    rest = body
    for _ in range(_MAX_GZIP_MEMBERS):
        decompressor = zlib.decompressobj(_GZIP_WINDOW if encoding == "gzip" else _deflate_window(rest))
        try:
            # One byte more than there is room for tells "just fits" from "too large"; 0 would mean no limit.
            inflated += decompressor.decompress(rest, limits.max_body_bytes - len(inflated) + 1)
        except zlib.error as error:
            raise MalformedBodyError(f"the body isn't valid {encoding} data: compress it again and resend") from error
        if len(inflated) > limits.max_body_bytes:
            raise _too_large(limits)
        if not decompressor.eof:
            raise MalformedBodyError(f"the body's {encoding} data is cut short: send all of it")
        rest = decompressor.unused_data
        if not rest:
            return bytes(inflated)
        if encoding != "gzip":
            break
    raise MalformedBodyError(f"the body has more after the end of its {encoding} data: send one compressed stream")


def _deflate_window(body: bytes) -> int:
    # HTTP's deflate has a zlib header (RFC 1950), but clients send it raw as well (RFC 9110, section 8.4.1.2).
    has_header = len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2]) % 31 == 0
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS


def _too_large(limits: Limits) -> TooLargeError:
    return TooLargeError(f"the body is over {limits.max_body_bytes} bytes, the most that is read: send less at a time")
