"""The limits of a client's connection, and of all connections together. Enforces none."""

from dataclasses import dataclass

from app.protocol.excess_connections import ExcessConnections


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Limits of one client, and of all clients together."""

    max_connections: int
    excess: ExcessConnections
    """Further connections, which are open until their first request is rejected."""

    max_header_bytes: int
    """Maximum bytes of a request's address and headers together."""

    headers_timeout_s: float
    """Seconds until a request's headers are complete, from its first byte or the start of the connection."""

    transfer_timeout_s: float
    """Seconds until a request's body is complete, and again until its response is read."""
