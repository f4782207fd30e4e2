"""Parameters of an infer request: noise, draws and deadline, and those of the protocol that change nothing here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.codecs.error_messages import invalid_value, preview
from app.codecs.limits import Limits
from app.inference.noise import SEED_LIMIT

_IGNORED: Final = frozenset(
    {
        "binary_data_output",  # read with the outputs
        "content_type",
        "headers",
        "priority",
        "sequence_end",
        "sequence_id",
        "sequence_start",
    }
)
"""Reserved by the protocol or sent by its clients."""

_KNOWN: Final = ("seed", "samples", "timeout")

_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class InferParameters:
    """The parameters of one request, checked."""

    seed: int | None = None
    """Of the noise; None where the client leaves it to the server."""

    samples: int = 1
    """Draws of noise for each image, of the task `score`."""

    timeout_s: float | None = None
    """Seconds that the client allows; None for the server's own limit."""


def read_parameters(values: Mapping[str, object], *, task: str, limits: Limits) -> InferParameters:
    """Return the request's parameters.

    Raises:
        InvalidValueError: One is unknown, of the wrong type or out of range.
    """
    if not values:
        return _DEFAULTS
    known = _KNOWN if task == "score" else tuple(name for name in _KNOWN if name != "samples")
    for name in values:
        if name not in known and name not in _IGNORED:
            listing = ", ".join([*known, "binary_data_output"])
            raise invalid_value(f"parameters.{name[:60]}", f"is unknown: known here are {listing}")
    timeout = _read_integer(values, "timeout", 0, SEED_LIMIT - 1)
    return InferParameters(
        seed=_read_integer(values, "seed", 0, SEED_LIMIT - 1),
        samples=_read_integer(values, "samples", 1, limits.max_samples) or 1,
        # Triton's clients take 0 for no timeout.
        timeout_s=timeout / _MICROSECONDS if timeout else None,
    )


_DEFAULTS: Final = InferParameters()


def _read_integer(values: Mapping[str, object], name: str, least: int, most: int) -> int | None:
    if name not in values:
        return None
    value = values[name]
    if type(value) is not int or not least <= value <= most:
        raise invalid_value(f"parameters.{name}", f"is {preview(value)}: expected an integer, {least} to {most}")
    return value
