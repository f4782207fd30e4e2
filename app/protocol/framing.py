"""Finds headers by which servers may disagree on a request's host or on its body's end. Parses no bytes."""

from collections.abc import Sequence

from app.codecs.error_messages import truncated


def find_framing_problem(headers: Sequence[tuple[bytes, bytes]], http_version: str) -> tuple[int, str] | None:
    """Return status and detail of a request with these headers, names in lower case; None if it is accepted."""
    # RFC 9112, section 3.2: a proxy before this server may have taken another of several for the right one.
    hosts = [name for name, _ in headers].count(b"host")
    if hosts > 1 or (hosts == 0 and http_version != "1.0"):
        return 400, "the request has no Host header, or several: send one"
    return _find_coding_problem(headers, http_version)


def _find_coding_problem(headers: Sequence[tuple[bytes, bytes]], http_version: str) -> tuple[int, str] | None:
    """Reject a body that isn't framed by chunks alone (RFC 9112, sections 6.1 and 6.3).

    llhttp ignores other codings before the last one, and would pass on a compressed body as plain bytes.
    """
    values = [value for name, value in headers if name == b"transfer-encoding"]
    codings = [coding.strip() for coding in b",".join(values).lower().split(b",") if coding.strip()]
    if not values or (codings == [b"chunked"] and http_version != "1.0"):
        return None
    problem = f"Transfer-Encoding is {truncated(b', '.join(values).decode('latin-1'))}"
    if codings[-1:] != [b"chunked"] or codings.count(b"chunked") > 1:
        return 400, f"{problem}, so the body's end isn't known: send Content-Length, or chunked alone"
    if len(codings) == 1:
        return 400, f"{problem}, which HTTP/1.0 doesn't have: send Content-Length, or use HTTP/1.1"
    return 501, f"{problem}: only chunked is supported; compress the body with Content-Encoding instead"
