"""Raises the process's limit of open files for its connections, or lowers their maximum. Opens none."""

import logging
import resource
from typing import Final

from app.settings import Settings

logger = logging.getLogger(__name__)

_OTHER_FILES: Final = 256
"""Open files reserved besides connections: three frameworks and their threads use about 100; the rest is for
connections over the limit, which still get responses from `/healthz`."""


def fit_connections(settings: Settings) -> Settings:
    """Raise the limit of open files for the maximum connections; if the system forbids it, allow fewer connections."""
    # Doubled: as many further connections may be open while they are rejected with 503.
    limit = _raise_limit(2 * settings.max_connections + _OTHER_FILES)
    allowed = max(limit - _OTHER_FILES, limit // 4)
    if allowed >= settings.max_connections:
        return settings
    logger.warning(
        "the limit of connections is %d instead of %d, because this process may open only %d files: "
        "raise the hard limit (ulimit -Hn, LimitNOFILE) to %d",
        allowed,
        settings.max_connections,
        limit,
        settings.max_connections + _OTHER_FILES,
    )
    return settings.model_copy(update={"max_connections": allowed})


def count_excess_connections(max_connections: int) -> int:
    """Return how many connections over the limit may be open at once: as many as within it, if files allow that."""
    limit = _soft_limit()
    if limit is None:
        return max_connections
    return min(max_connections, max(limit - max_connections - _OTHER_FILES, min(_OTHER_FILES // 2, limit // 8)))


def _raise_limit(wanted: int) -> int:
    """Raise the soft limit to the number wanted, or as far as the system allows; return the limit."""
    soft, hard = _soft_limit(), resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if soft is None:
        return wanted
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


def _soft_limit() -> int | None:
    """Return the current limit, or None if there is none."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
