"""X-Forwarded-For, -Proto and -Prefix of trusted proxies, and a path prefix: applied to an ASGI scope. No sockets."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Final

_PREFIX: Final = re.compile(rb"(?:/[A-Za-z0-9._~-]+)+/?")

_SCHEMES: Final = ("http", "https")

Network = IPv4Network | IPv6Network


class TrustedProxies:
    """The addresses whose X-Forwarded headers are trusted."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks

    def __contains__(self, host: str) -> bool:
        """Return whether the address is a trusted proxy's."""
        try:
            address = ip_address(host)
        except ValueError:
            return False
        # IPv6 sockets show IPv4 clients as mapped addresses.
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._networks)

    def apply(self, scope: dict[str, Any]) -> None:
        """Set client, scheme and root path of a request from the headers of a trusted proxy.

        The client is the last address in X-Forwarded-For that isn't a trusted proxy's: a client can forge the
        addresses before it.
        """
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        forwarded = [value for name, value in headers if name == b"x-forwarded-for"]
        hops = [hop.strip() for hop in b",".join(forwarded).decode("latin-1").split(",") if hop.strip()]
        for hop in reversed(hops):
            host = _without_port(hop)
            if host is None:
                break
            scope["client"] = (host, 0)
            if host not in self:
                break
        for name, value in headers:
            if name == b"x-forwarded-proto" and (scheme := value.decode("latin-1").strip().lower()) in _SCHEMES:
                scope["scheme"] = scheme
            elif name == b"x-forwarded-prefix" and _PREFIX.fullmatch(value):
                scope["root_path"] = value.decode().rstrip("/")


def apply_forwarded(scope: dict[str, Any], *, root_path: str, proxy: TrustedProxies | None) -> None:
    """Set a request's root path, path, and the client that its proxy reports; `proxy` is None unless trusted."""
    scope["root_path"] = root_path
    if proxy is not None:
        proxy.apply(scope)
    _apply_root_path(scope)


def _apply_root_path(scope: dict[str, Any]) -> None:
    """Prepend the root path to the path unless it is there, as ASGI requires; proxies may or may not remove it."""
    root = scope["root_path"]
    if scope["path"] != root and not scope["path"].startswith(f"{root}/"):
        scope["path"] = root + scope["path"]
        scope["raw_path"] = root.encode() + scope["raw_path"]


def _without_port(hop: str) -> str | None:
    """Return the address of `host`, `host:port` or `[host]:port`; None if it isn't an IP address."""
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::\d+)?", hop)
    host = bracketed[1] if bracketed else hop.partition(":")[0] if hop.count(":") == 1 else hop
    try:
        return str(ip_address(host))
    except ValueError:
        return None
