"""How codecs word an error: one sentence, and never more than a glimpse of what the client sent."""

from app.exceptions import FieldError, InvalidValueError

_GLIMPSE = 60


def wrong_value(where: str, why: str) -> InvalidValueError:
    """Return the error of one wrong value; `why` continues the sentence that `where` begins."""
    return InvalidValueError(f"{where} {why}", [FieldError(where, why)])


def glimpse(text: str) -> str:
    """Return text quoted, escaped, and cut to 60 characters."""
    quoted = ascii(text[:_GLIMPSE])
    return quoted if len(quoted) <= _GLIMPSE else f"{quoted[: _GLIMPSE - 3]}..."


def join(words: list[str]) -> str:
    """Return words as a list in prose: `a, b or c`."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
