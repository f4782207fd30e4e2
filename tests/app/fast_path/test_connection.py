"""Connections with a fast path: bodies in pieces, pipelined requests, timeouts, and shutdown."""

import threading

from tests.support.app import make_service, running
from tests.support.clients.fast_path_client import gated, request, watched, wire_to


def test_body_may_arrive_in_pieces(checkpoints):
    """Many clients write headers and body apart."""
    app = make_service(checkpoints, frameworks="jax")
    head, separator, body = request().partition(b"\r\n\r\n")
    with running(app) as client, wire_to(client) as wire, watched(app) as handled:
        for sent in range(3):
            for piece in (head + separator, body[:1000], body[1000:]):
                wire.sock.sendall(piece)
                # Nothing but time tells two pieces apart.
                threading.Event().wait(0.02)
            assert wire.read()[0] == 200
            assert len(handled) == sent + 1


def test_slow_body_is_left_to_the_application(checkpoints):
    """Its time limits apply; afterwards the connection is good for more."""
    app = make_service(checkpoints, frameworks="jax", transfer_timeout_s=2)
    head, separator, body = request().partition(b"\r\n\r\n")
    with running(app) as client, watched(app) as handled:
        with wire_to(client) as wire:
            wire.sock.sendall(head + separator)
            # Longer than the server takes between two checks of its connections.
            threading.Event().wait(1.5)
            wire.sock.sendall(body)
            assert wire.read()[0] == 200
            assert not handled
            assert wire.ask()[0] == 200
            assert len(handled) == 1
        with wire_to(client) as wire:
            wire.sock.sendall(head + separator + body[:100])
            status, headers, _ = wire.read()
            assert (status, headers["connection"]) == (408, "close")


def test_request_that_waits_for_its_body_is_answered_when_the_server_stops(checkpoints):
    """It goes to the parser, and is answered as it would be otherwise."""
    app = make_service(checkpoints, frameworks="jax")
    head, separator, body = request().partition(b"\r\n\r\n")
    with running(app) as client, wire_to(client) as wire:
        wire.sock.sendall(head + separator)
        threading.Event().wait(0.1)
        app.state.server.stop()
        threading.Event().wait(0.3)
        wire.sock.sendall(body)

        status, headers, _ = wire.read()
        assert (status, headers["connection"]) == (200, "close")


def test_requests_sent_ahead_are_answered_in_their_order(checkpoints):
    """While one is computed, what the client sends waits, known or not, and all are answered one after the other."""
    with gated(checkpoints) as (app, adapter, client), wire_to(client) as wire, watched(app) as handled:
        adapter.shut()

        wire.sock.sendall(request("/reconstruct?seed=1"))
        assert adapter.begun.wait(20)
        wire.sock.sendall(request("/reconstruct?seed=1") + request("/reconstruct?seed=3"))
        wire.sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + request("/reconstruct?seed=1"))
        with wire_to(client) as other:
            other.sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert other.read()[0] == 200
        adapter.gate.set()

        answers = [wire.read() for _ in range(5)]

    assert handled
    assert [status for status, _, _ in answers] == [200] * 5
    assert [headers.get("x-triptych-seed") for _, headers, _ in answers] == ["1", "1", "3", None, "1"]


def test_request_under_way_is_answered_when_the_server_stops(checkpoints):
    """The answer says that the connection ends with it."""
    with gated(checkpoints) as (app, adapter, client), wire_to(client) as wire, watched(app) as handled:
        adapter.shut()
        wire.sock.sendall(request())
        assert adapter.begun.wait(20)

        app.state.server.stop()
        threading.Event().wait(0.3)
        adapter.gate.set()
        status, headers, _ = wire.read()

        assert handled
        assert (status, headers["connection"]) == (200, "close")
        assert wire.sock.recv(1) == b""


def test_connection_is_kept_from_its_last_answer_on(checkpoints):
    """Each answer gives it as long again, on the hot path as after it, and then it is closed."""
    app = make_service(checkpoints, frameworks="jax", keep_alive_s=2)
    with running(app) as client, wire_to(client) as wire, watched(app) as handled:
        for _ in range(3):
            # Longer than half of what is given.
            threading.Event().wait(1.2)
            assert wire.ask()[0] == 200

        assert len(handled) == 3
        assert wire.sock.recv(1) == b""


def test_request_under_way_keeps_its_connection(checkpoints):
    """However long the model takes, the connection isn't idle meanwhile."""
    with gated(checkpoints, keep_alive_s=1) as (app, adapter, client), wire_to(client) as wire, watched(app) as handled:
        adapter.shut()
        wire.sock.sendall(request())
        assert adapter.begun.wait(20)
        threading.Event().wait(1.5)
        adapter.gate.set()

        assert wire.read()[0] == 200
        assert handled
        assert wire.ask()[0] == 200
