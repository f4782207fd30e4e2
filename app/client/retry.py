"""When a failed call is repeated. Every route computes a pure function of its request, so any call may be repeated."""

import logging
import random
import time
from typing import Final

import httpx

from app.client.errors import ClientError, ConnectionFailedError, ResponseError

logger = logging.getLogger(__name__)

RETRIED: Final = frozenset({429, 502, 503})
"""Overloaded, or not ready; 502 is a proxy whose replica has just ended."""

_PROBLEM_JSON: Final = "application/problem+json"

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0


class Retries:
    """The attempts of one call, within its deadline."""

    def __init__(self, deadline_s: float) -> None:
        self._ends = time.monotonic() + deadline_s
        self._pause_s = _FIRST_PAUSE_S

    @property
    def remaining_s(self) -> float:
        """Seconds until the deadline, at least a millisecond, for the timeout of an attempt."""
        return max(0.001, self._ends - time.monotonic())

    def pause_after(self, failure: httpx.Response | httpx.TransportError) -> float:
        """Return how many seconds to wait before the next attempt: `Retry-After`, or an exponential back-off.

        Raises:
            ClientError: The failure is final, or the deadline would pass.
        """
        error = as_error(failure)
        if not _may_pass(failure):
            raise error
        # Half of a pause is random, so that clients that failed together don't return together.
        pause_s = _retry_after(failure) or self._pause_s * random.uniform(0.5, 1)  # noqa: S311 -- not a secret
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        if time.monotonic() + pause_s >= self._ends:
            raise error
        if isinstance(failure, httpx.TransportError):
            logger.warning("%s; trying again for %.0f s", error, self.remaining_s)
        return pause_s


def as_error(failure: httpx.Response | httpx.TransportError) -> ClientError:
    """Return the error that a failed attempt stands for."""
    if isinstance(failure, httpx.TransportError):
        url = failure.request.url
        error: ClientError = ConnectionFailedError(
            f"{url.scheme}://{url.netloc.decode()} can't be reached ({type(failure).__name__}: {failure})"
        )
        error.__cause__ = failure
        return error
    try:
        problem = failure.json()
    except ValueError:
        problem = {"detail": failure.text[:500].strip()}  # a proxy's page
    return ResponseError(failure.status_code, problem if isinstance(problem, dict) else {"detail": str(problem)[:500]})


def _retry_after(failure: httpx.Response | httpx.TransportError) -> float | None:
    if isinstance(failure, httpx.Response):
        value = failure.headers.get("Retry-After", "")
        return float(value) if value.isdecimal() else None
    return None


def _may_pass(failure: httpx.Response | httpx.TransportError) -> bool:
    """Return whether a repeated call may succeed; a 500 may if it is a proxy's, such as Ray's for a lost replica."""
    if isinstance(failure, httpx.TransportError):
        return not isinstance(failure, httpx.LocalProtocolError | httpx.UnsupportedProtocol)
    is_own = failure.headers.get("Content-Type", "").partition(";")[0] == _PROBLEM_JSON
    return failure.status_code in RETRIED or (failure.status_code == 500 and not is_own)
