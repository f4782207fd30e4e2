"""Listening sockets, with a one-line error if an address can't be bound."""

import errno
import socket
import sys
from collections.abc import Sequence
from typing import Final

from app.errors import StartupError

_BACKLOG: Final = 2048

BALANCES_WORKERS: Final = sys.platform == "linux"
"""True if the kernel spreads connections over sockets that are bound to the same port (see ADR 9)."""


def bind_sockets(host: str, port: int, *, workers: int = 1) -> list[socket.socket]:
    """Return a socket bound to each of the host's addresses, on the same port. They do not listen yet.

    With several workers, `bind_again` can bind more sockets to the port.

    Raises:
        StartupError: No address can be bound.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "a part of it is empty or too long"
        raise StartupError(
            f"TRIPTYCH_HOST (--host) is {host!r}, which is no address of this machine: {reason}"
        ) from error
    sockets: list[socket.socket] = []
    failure: OSError | None = None
    for family, _, _, _, address in dict.fromkeys(addresses):
        chosen = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_bind(family, (address[0], chosen, *address[2:]), is_shared=workers > 1))
        except OSError as error:
            # A name may have an address that this machine can't use, such as ::1 in a container.
            if failure is None or error.errno == errno.EADDRINUSE:
                failure = error
    if failure is not None and (not sockets or failure.errno == errno.EADDRINUSE):
        for bound in sockets:
            bound.close()
        raise StartupError(_explain(failure, host, port)) from failure
    return sockets


def bind_again(sockets: Sequence[socket.socket]) -> list[socket.socket]:
    """Return a worker's own sockets on the same addresses; on other systems than Linux, duplicates."""
    if not BALANCES_WORKERS:
        return [bound.dup() for bound in sockets]
    return [_bind_shared(bound.family, bound.getsockname()) for bound in sockets]


def listen(sockets: Sequence[socket.socket]) -> None:
    """Let clients connect; until the server accepts, they wait in the kernel's queue.

    Raises:
        StartupError: Another program has begun to listen on the port since it was bound.
    """
    for bound in sockets:
        try:
            bound.listen(_BACKLOG)
        except OSError as error:
            host, port = bound.getsockname()[:2]
            raise StartupError(_explain(error, host, port)) from error


def _bind(family: int, address: tuple[object, ...], *, is_shared: bool) -> socket.socket:
    bound = _open(family, address)
    if not (is_shared and BALANCES_WORKERS):
        return bound
    # SO_REUSEPORT allows binding while another service shares the port: only the first socket detects that.
    with bound:
        return _bind_shared(family, bound.getsockname())


def _bind_shared(family: int, address: tuple[object, ...]) -> socket.socket:
    return _open(family, address, options=(socket.SO_REUSEADDR, socket.SO_REUSEPORT))


def _open(
    family: int, address: tuple[object, ...], *, options: Sequence[int] = (socket.SO_REUSEADDR,)
) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        for option in options:
            bound.setsockopt(socket.SOL_SOCKET, option, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: stop what listens there, or choose another by TRIPTYCH_PORT (--port)"
    if error.errno == errno.EACCES:
        return f"port {port} may not be opened by this user: choose one from 1024 by TRIPTYCH_PORT (--port)"
    return f"TRIPTYCH_HOST (--host) is {host!r}, which can't be listened on: {error.strerror}"
