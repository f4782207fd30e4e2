"""Builds the codecs' error messages: one sentence, with at most 60 characters of client data. Raises nothing."""

from app.exceptions import FieldError, InvalidValueError

_MAX_QUOTED = 60


def invalid_value(where: str, why: str) -> InvalidValueError:
    """Return the error of one wrong value: its path and reason, which together form a sentence."""
    return InvalidValueError(f"{where} {why}", [FieldError(where, why)])


def truncated(text: str) -> str:
    """Return text quoted, escaped, and cut to 60 characters."""
    quoted = ascii(text[:_MAX_QUOTED])
    return quoted if len(quoted) <= _MAX_QUOTED else f"{quoted[: _MAX_QUOTED - 3]}..."


def join_with_or(words: list[str]) -> str:
    """Return words as a list in prose: `a, b or c`."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
