"""A relay before a real server, whose responses a test changes: the backend that is slow, wrong, or gone."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import httpx

KEPT = ("Content-Type", "Inference-Header-Content-Length", "Retry-After")
"""Headers that the relay passes on."""


class Relayed(NamedTuple):
    """A response on its way to the client."""

    status: int
    headers: dict[str, str]
    body: bytes


class Relay:
    """Relays to a server, and lets `change` replace each response; `None` closes the connection without one."""

    def __init__(self, target: httpx.Client) -> None:
        self._target = target
        self.change: Callable[[str, Relayed], Relayed | None] = lambda _path, response: response
        self.address = ""
        self.last_headers: dict[str, str] = {}
        """Headers of the last request, by lowercase name."""

    @contextmanager
    def changing(self, change: Callable[[str, Relayed], Relayed | None]) -> Iterator[None]:
        """Change responses for a while."""
        before, self.change = self.change, change
        try:
            yield
        finally:
            self.change = before

    def relay(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Relayed | None:
        """Return the response to a request."""
        self.last_headers = {name.lower(): value for name, value in headers.items()}
        response = self._target.request(method, path, headers=headers, content=body)
        response_headers = {name: response.headers[name] for name in KEPT if name in response.headers}
        return self.change(path, Relayed(response.status_code, response_headers, response.content))


@contextmanager
def relaying(target: httpx.Client) -> Iterator[Relay]:
    """Start a relay to a server, and give it."""
    relay = Relay(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: value for name, value in self.headers.items() if name not in {"Host", "Content-Length"}}
            response = relay.relay(self.command, self.path, headers, body)
            if response is None:
                self.close_connection = True
                return
            self.send_response(response.status)
            for name, value in {**response.headers, "Content-Length": str(len(response.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    relay.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield relay
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
