"""Requests that find the queue full, on the hot path: refused before their bodies have come, however large they are."""

import json
import threading
from contextlib import contextmanager

from app.errors import OverloadedError
from tests.support.app import make_images, npy, wait_until
from tests.support.clients.fast_path_client import gated, request, watch, wire_to
from tests.support.clients.metrics_text import read_samples

FULL = 4
"""Images that the queue of these tests holds."""


@contextmanager
def full(checkpoints, **settings):
    """Give an application whose queue is full, its adapter, and a client of it."""
    with gated(checkpoints, max_queue_images=FULL, **settings) as (app, adapter, client), wire_to(client) as filler:
        fill(filler, adapter)
        yield app, adapter, client


def fill(wire, adapter, count=FULL):
    """Shut the gate, and have so many images wait at it."""
    adapter.shut()
    wire.sock.sendall(request(body=npy(make_images(count))))
    assert adapter.begun.wait(20)


def test_rejection_is_the_same_both_ways(checkpoints):
    """Small or large, it is 429 with Retry-After in the same words, and the connection is good for more."""
    with full(checkpoints) as (app, adapter, client), wire_to(client) as wire:
        begun = watch(app)
        for count in (1, 64):
            body = npy(make_images(count))
            status, headers, problem = wire.ask(body=body)
            _, _, long = wire.ask(body=body, headers=["Expect: 100-continue"])

            assert status == 429
            assert int(headers["retry-after"]) >= 1
            assert json.loads(problem)["request_id"] == headers["x-request-id"]
            assert json.loads(problem)["detail"] == json.loads(long)["detail"]
        assert [type(request.error) for request in begun] == [OverloadedError, OverloadedError]

        adapter.gate.set()
        batcher = app.state.registry.get("jax").batcher
        wait_until(lambda: not batcher.is_full)
        assert wire.ask()[0] == 200


def test_large_request_is_refused_before_its_body_has_come(checkpoints):
    """The answer comes at once; the rest of the body is thrown away, in any pieces, and what follows is answered."""
    data = request(body=npy(make_images(64)))
    with full(checkpoints) as (app, adapter, client), wire_to(client) as wire:
        begun = watch(app)
        wire.sock.sendall(data[:1000])
        assert wire.read()[0] == 429
        assert len(begun) == 1

        for start in range(1000, len(data), 50_000):
            wire.sock.sendall(data[start : start + 50_000])
            # Nothing but time tells two pieces apart.
            threading.Event().wait(0.02)
        wire.sock.sendall(data[:2000])
        assert wire.read()[0] == 429
        adapter.gate.set()
        batcher = app.state.registry.get("jax").batcher
        wait_until(lambda: not batcher.is_full)
        # The end of what is thrown away and the next request come together.
        wire.sock.sendall(data[2000:] + request("/reconstruct?seed=5"))
        status, headers, _ = wire.read()

        assert (status, headers["x-triptych-seed"]) == (200, "5")


def test_client_that_sends_no_rest_is_cut_off(checkpoints):
    """The rest of a rejected body may take as long as a connection may be idle."""
    with full(checkpoints, keep_alive_s=1) as (_, _, client), wire_to(client) as wire:
        wire.sock.sendall(request(body=npy(make_images(64)))[:1000])

        assert wire.read()[0] == 429
        assert wire.sock.recv(1) == b""


def test_refusal_is_counted_once(checkpoints):
    """A request with more images than the queue has room for is rejected."""
    with (
        gated(checkpoints, max_queue_images=FULL) as (_, adapter, client),
        wire_to(client) as filler,
        wire_to(client) as wire,
    ):
        fill(filler, adapter, FULL - 1)
        assert wire.ask(body=npy(make_images(2)))[0] == 429
        samples = read_samples(client.get("/metrics").text)
        adapter.gate.set()

    assert samples["triptych_shed_total", ("framework", "jax")] == 1
    labels = ("framework", "jax"), ("route", "/reconstruct"), ("status", "429")
    assert samples["triptych_requests_total", *labels] == 1
