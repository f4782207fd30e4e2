"""Sockets to listen on, or one line that says why there are none."""

import errno
import socket

from app.exceptions import StartupError


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Return a listening socket for each of the host's addresses, on the same port.

    Raises:
        StartupError: There is none that can be listened on.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise StartupError(
            f"TRIPTYCH_HOST (--host) is {host!r}, which is no address of this machine: {error.strerror}"
        ) from error
    sockets: list[socket.socket] = []
    failure: OSError | None = None
    for family, _, _, _, address in dict.fromkeys(found):
        chosen = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_listen(family, (address[0], chosen, *address[2:])))
        except OSError as error:
            # A name may have an address that this machine can't use, such as ::1 in a container.
            if failure is None or error.errno == errno.EADDRINUSE:
                failure = error
    if failure is not None and (not sockets or failure.errno == errno.EADDRINUSE):
        for listening in sockets:
            listening.close()
        raise StartupError(_explain(failure, host, port)) from failure
    return sockets


def _listen(family: int, address: tuple[object, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        # Clients that come before the server is up wait for it instead of being refused.
        listening.listen(2048)
    except OSError:
        listening.close()
        raise
    return listening


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: stop what listens there, or choose another by TRIPTYCH_PORT (--port)"
    if error.errno == errno.EACCES:
        return f"port {port} may not be opened by this user: choose one from 1024 by TRIPTYCH_PORT (--port)"
    return f"TRIPTYCH_HOST (--host) is {host!r}, which can't be listened on: {error.strerror}"
