"""A bench for tests of the hot path: connections as they are, and a look at what takes it."""

import json
import socket
from contextlib import contextmanager

from tests.service import GatedAdapter, load_jax_as, make_images, make_service, npy, read_answer, running

JSON, NPY = "application/json", "application/x-npy"


class Wire:
    """A connection that is kept."""

    def __init__(self, sock, answers):
        self.sock, self.answers = sock, answers

    def ask(self, *arguments, **options):
        """Send a request at once, and return its answer."""
        self.sock.sendall(request(*arguments, **options))
        return self.read()

    def read(self):
        """Return the next answer: status, headers and body."""
        return read_answer(self.answers)


def request(url="/reconstruct?seed=7", body=None, *, kind=NPY, accept=NPY, headers=()):
    """Return the bytes of a request."""
    body = npy(make_images(1)) if body is None else body
    lines = [f"POST {url} HTTP/1.1", "Host: x", f"Content-Type: {kind}", f"Accept: {accept}", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@contextmanager
def wire_to(client):
    """Give a connection to the service."""
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=20) as sock, sock.makefile("rb") as answers:
        yield Wire(sock, answers)


def watch(app):
    """Return a list to which each request of the application that the hot path begins, or refuses, is added."""
    begun, begin = [], app.hot_path.begin

    def spy(found, respond):
        request = begin(found, respond)
        if request is not None:
            begun.append(request)
        return request

    app.hot_path.begin = spy
    return begun


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


def plain(answer):
    """Return an answer without what differs each time."""
    status, headers, body = answer
    passing = {"date", "server-timing", "x-request-id"}
    return status, {name: value for name, value in headers.items() if name not in passing}, body


def without_id(answer):
    """Return an answer without what tells one error from the next."""
    status, headers, body = answer
    if status == 200:
        return answer
    problem = {name: value for name, value in json.loads(body).items() if name != "request_id"}
    return status, {name: value for name, value in headers.items() if name != "content-length"}, problem


def as_json(url="/reconstruct?seed=7", count=1, **members):
    """Return a request in JSON, and its answer in JSON."""
    images = make_images(count).astype(float).tolist()
    return {"url": url, "body": json.dumps({"images": images, **members}).encode(), "kind": JSON, "accept": JSON}
