"""Connections for tests of the fast path, and a record of the requests that take it."""

import json
import socket
from contextlib import contextmanager

from tests.support.app import GatedAdapter, load_jax_as, make_images, make_service, npy, read_answer, running

JSON, NPY = "application/json", "application/x-npy"


class Wire:
    """A connection that is kept."""

    def __init__(self, sock, responses):
        self.sock, self.responses = sock, responses

    def ask(self, *arguments, **options):
        """Send a request at once, and return its response."""
        self.sock.sendall(request(*arguments, **options))
        return self.read()

    def read(self):
        """Return the next response: status, headers and body."""
        return read_answer(self.responses)


def request(url="/reconstruct?seed=7", body=None, *, kind=NPY, accept=NPY, headers=()):
    """Return the bytes of a request."""
    body = npy(make_images(1)) if body is None else body
    lines = [f"POST {url} HTTP/1.1", "Host: x", f"Content-Type: {kind}", f"Accept: {accept}", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@contextmanager
def wire_to(client):
    """Give a connection to the service."""
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=20) as sock, sock.makefile("rb") as responses:
        yield Wire(sock, responses)


def fast_path_of(app):
    """Return the fast path of an application."""
    return app.new_connection.keywords["fast_path"]


def watch(app):
    """Return a list to which each request is added that the fast path begins, or rejects."""
    fast_path, handled = fast_path_of(app), []

    def record(call):
        def recorded(*arguments, **options):
            result = call(*arguments, **options)
            if call.__name__ == "begin" and result:
                handled.append(arguments[0])
            elif call.__name__ == "match" and result is not None and result.error is not None:
                handled.append(result)
            return result

        return recorded

    fast_path.match, fast_path.begin = record(fast_path.match), record(fast_path.begin)
    return handled


@contextmanager
def watched(app):
    """Give a list as `watch` returns it, for a while."""
    try:
        yield watch(app)
    finally:
        del fast_path_of(app).match, fast_path_of(app).begin


@contextmanager
def gated(checkpoints, **settings):
    """Give an application whose JAX has a gate, which is open, its adapter, and a client of it."""
    app = make_service(checkpoints, load=load_jax_as(GatedAdapter), frameworks="jax", hang_timeout_s=0, **settings)
    with running(app) as client:
        adapter = app.state.registry.get("jax").adapter
        adapter.gate.set()
        try:
            yield app, adapter, client
        finally:
            adapter.gate.set()


def plain(response):
    """Return a response without its parts that differ each time."""
    status, headers, body = response
    passing = {"date", "server-timing", "x-request-id"}
    return status, {name: value for name, value in headers.items() if name not in passing}, body


def without_id(response):
    """Return a response, of an error without its ID."""
    status, headers, body = response
    if status == 200:
        return response
    problem = {name: value for name, value in json.loads(body).items() if name != "request_id"}
    return status, {name: value for name, value in headers.items() if name != "content-length"}, problem


def as_json(url="/reconstruct?seed=7", count=1, **members):
    """Return the arguments of a request in JSON for a response in JSON."""
    images = make_images(count).astype(float).tolist()
    return {"url": url, "body": json.dumps({"images": images, **members}).encode(), "kind": JSON, "accept": JSON}
