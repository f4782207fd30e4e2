"""Reads what a client accepts: response formats, compression, its own copy. Writes nothing."""

import re
from collections.abc import Sequence
from enum import StrEnum

from app.codecs.error_messages import invalid_value, join_with_or, truncated
from app.errors import NotAcceptableError

# RFC 9110, section 12.4.2, and the `.2` of old Java clients.
_QUALITY = re.compile(r"[01](\.[0-9]{0,9})?|\.[0-9]{1,9}")


class OutputFormat(StrEnum):
    """A response format, by its value of `?format=`."""

    JSON = "json"
    PNG = "png"
    NPY = "npy"

    @property
    def media_type(self) -> str:
        """The response's Content-Type."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    OutputFormat.JSON: "application/json",
    OutputFormat.PNG: "image/png",
    OutputFormat.NPY: "application/x-npy",
}


def negotiate(
    *,
    accept: str | None,
    format: str | None,  # noqa: A002 -- the name of the query parameter.
    available: Sequence[OutputFormat],
) -> OutputFormat:
    """Return the available format that the client prefers; `available` begins with the default.

    An explicit `format` wins over the Accept header. In the header quality decides, then the more specific
    range, then the order of `available`. Invalid parts of it are ignored.

    Raises:
        InvalidValueError: `format` is unknown.
        NotAcceptableError: No requested format is available.
    """
    if format is not None:
        return _by_name(format, available)
    qualities = _parse_accept(accept or "")
    if not qualities:
        return available[0]
    ranked = [(*_rank(output, qualities), -index, output) for index, output in enumerate(available)]
    quality, *_, best = max(ranked)
    if quality == 0:
        raise NotAcceptableError(
            f"the Accept header {truncated(accept or '')} allows no format of this route:"
            f" accept {join_with_or([output.media_type for output in available])}"
        )
    return best


def accepts_gzip(accept_encoding: Sequence[str]) -> bool:
    """Return whether the values of Accept-Encoding allow gzip (RFC 9110, section 12.5.3)."""
    qualities: dict[str, float] = {}
    for part in ",".join(accept_encoding).lower().split(","):
        coding, *parameters = (piece.strip() for piece in part.split(";"))
        qualities[coding] = _parse_quality(parameters) or 0.0
    return qualities.get("gzip", qualities.get("x-gzip", qualities.get("*", 0.0))) > 0


def matches(etag: str, if_none_match: Sequence[str]) -> bool:
    """Return whether the values of If-None-Match name the entity tag, or any (RFC 9110, section 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in ",".join(if_none_match).split(",")]
    return etag in tags or tags == ["*"]


def _by_name(name: str, available: Sequence[OutputFormat]) -> OutputFormat:
    try:
        output = OutputFormat(name.strip().lower())
    except ValueError:
        raise invalid_value("query.format", f"is {truncated(name)}: expected {join_with_or(list(available))}") from None
    if output not in available:
        raise NotAcceptableError(f"this route has no {output} response: request {join_with_or(list(available))}")
    return output


def _parse_accept(accept: str) -> dict[str, float]:
    """Return the quality of each media range."""
    qualities: dict[str, float] = {}
    for part in accept.lower().split(","):
        media_range, *parameters = (piece.strip() for piece in part.split(";"))
        quality = _parse_quality(parameters)
        if media_range.count("/") == 1 and quality is not None:
            qualities[media_range] = max(quality, qualities.get(media_range, 0.0))
    return qualities


def _parse_quality(parameters: list[str]) -> float | None:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return min(float(value), 1.0) if _QUALITY.fullmatch(value := value.strip()) else None
    return 1.0


def _rank(output: OutputFormat, qualities: dict[str, float]) -> tuple[float, int]:
    """Return quality and specificity (0 to 2) of the most specific range that covers the format."""
    media_type = output.media_type
    kind = media_type.partition("/")[0]
    for specificity, media_range in ((2, media_type), (1, f"{kind}/*"), (0, "*/*")):
        if media_range in qualities:
            return qualities[media_range], specificity
    return 0.0, 0
