"""Options of a measurement of forms."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of one run."""

    rounds: int
    """Number of measurements of each case; the median is reported."""

    seconds: int
    """Duration of each."""

    server_cores: tuple[int, ...]
    """Cores of the service, all its processes together."""

    client_core: int
    """Core of wrk; one of the service's where there are only two."""

    ray: str | None = None
    """Python of an environment with Ray and the service."""
