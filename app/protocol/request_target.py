"""Normalizes the target of a request line. Splits and decodes nothing."""


def with_path(url: bytes) -> bytes:
    """Return a request target in absolute form with a path: `http://host?seed=7` has none (RFC 9112, section 3.2.2)."""
    scheme, separator, rest = url.partition(b"://")
    end = next((index for index, byte in enumerate(rest) if byte in b"/?#"), len(rest))
    return url if not separator or rest[end : end + 1] == b"/" else scheme + separator + rest[:end] + b"/" + rest[end:]
