"""The sockets that a server listens on, and shares with other workers."""

import socket
import threading

import httpx

from app.server.http_server import Server
from app.server.sockets import bind_sockets, listen
from tests.support.app import make_service

waits = []


class WatchedSocket(socket.socket):
    """One that takes down how long its duplicates are made to wait."""

    def settimeout(self, value):
        """Take down what is set, on this socket or on a duplicate, whose file is the same."""
        waits.append(value)
        super().settimeout(value)


def test_shared_socket_never_blocks(checkpoints):
    """A worker's own object of the shared socket is new, and thinks it blocking; no duplicate of it may make it so."""
    (shared,) = bind_sockets("127.0.0.1", 0)
    listen([shared])
    shared.setblocking(False)  # as another worker has done
    own = WatchedSocket(fileno=shared.detach())
    server = Server(make_service(checkpoints, frameworks="jax"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [own]})
    thread.start()
    try:
        assert httpx.get(f"http://127.0.0.1:{own.getsockname()[1]}/healthz", timeout=20).status_code == 200
    finally:
        server.stop()
        thread.join()

    assert waits
    assert set(waits) == {0.0}
