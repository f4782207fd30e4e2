"""Limits of requests, for tests of code that is called without a service."""

from dataclasses import fields, replace

from app.codecs.limits import Limits
from app.settings import Settings

_SETTINGS = Settings()
_DEFAULT = Limits(**{field.name: getattr(_SETTINGS, field.name) for field in fields(Limits)})


def make_limits(**changes: int) -> Limits:
    """Return the limits of the default settings, with some changed."""
    return replace(_DEFAULT, **changes)
