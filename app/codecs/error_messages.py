"""Builds the codecs' error messages: one sentence, with at most 60 characters of client data. Raises nothing."""

import json
from itertools import islice

from app.errors import FieldError, InvalidValueError

_MAX_QUOTED = 60
_MAX_PREVIEW_LEVELS = 4


def invalid_value(where: str, why: str) -> InvalidValueError:
    """Return the error of one wrong value: its path and reason, which together form a sentence."""
    return InvalidValueError(f"{where} {why}", [FieldError(where, why)])


def truncated(text: str) -> str:
    """Return text quoted, escaped, and cut to 60 characters."""
    quoted = ascii(text[:_MAX_QUOTED])
    return quoted if len(quoted) <= _MAX_QUOTED else f"{quoted[: _MAX_QUOTED - 3]}..."


def preview(value: object) -> str:
    """Return a JSON value as text, cut to 60 characters; the time that this takes doesn't depend on its size."""
    text = json.dumps(_head(value, _MAX_PREVIEW_LEVELS), default=str)
    return text if len(text) <= _MAX_QUOTED else f"{text[: _MAX_QUOTED - 3]}..."


def _head(value: object, levels: int) -> object:
    """Return the part of a JSON value that a preview has space for."""
    if isinstance(value, str):
        return value[:_MAX_QUOTED]
    if not isinstance(value, list | dict):
        return value
    if levels == 0:
        return "..."
    if isinstance(value, list):
        return [_head(item, levels - 1) for item in value[:_MAX_QUOTED]]
    return {name[:_MAX_QUOTED]: _head(item, levels - 1) for name, item in islice(value.items(), _MAX_QUOTED)}


def join_with_or(words: list[str]) -> str:
    """Return words as a list in prose: `a, b or c`."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
