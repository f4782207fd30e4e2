"""Requests are freed without the garbage collector, whose collections would delay all others."""

import gc
import json

import numpy as np
import pytest

from tests.support.app import make_images, make_service, npy, running, save_checkpoints
from tests.support.clients.fast_path_client import JSON, request, wire_to

REQUESTS = 20

IMAGE = make_images(1)

LARGE_LATENTS = npy(np.full((1, 20), 3e38, np.float32))


@pytest.fixture(scope="module")
def wire(tmp_path_factory, way):
    """Return a connection to a service with all checks on."""
    folder = save_checkpoints(tmp_path_factory.mktemp("checkpoints"))
    app = make_service(folder, access_log=True, rate_limit="100000/second", cors_origins=["https://example.org"])
    with running(app) as client, wire_to(client) as wire:
        yield wire


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request(), 200),
        (request("/reconstruct", json.dumps({"images": IMAGE.tolist()}).encode(), kind=JSON, accept=JSON), 200),
        (request(headers=["X-Request-Timeout: 5"]), 200),
        (request(body=npy(make_images(50))), 200),
        (request("/score?samples=3", accept=JSON), 200),
        (request("/compare", accept=JSON), 200),
        (b"GET /sample?seed=1 HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (request(body=npy(IMAGE[:, :10])), 422),
        (request("/reconstruct", b"{", kind=JSON), 400),
        (request("/decode", LARGE_LATENTS), 422),
        (request("/reconstruct?model=other"), 404),
        (request("/v2/models/jax-reconstruct/infer", b"{", kind=JSON, accept=JSON), 400),
    ],
    ids=["npy", "JSON", "timeout", "50", "score", "compare", "sample", "shape", "syntax", "overflow", "model", "v2"],
)
def test_request_leaves_no_reference_cycle(wire, sent, status):
    """With the garbage collector off, nothing of a request is left once its response is sent."""
    for _ in range(3):
        wire.sock.sendall(sent)
        assert wire.read()[0] == status
    gc.collect()
    gc.disable()
    counts = []
    try:
        for _ in range(3):
            for _ in range(REQUESTS):
                wire.sock.sendall(sent)
                wire.read()
            # The last one may still be running its last lines in the server's thread.
            counts.append(gc.collect())
    finally:
        gc.enable()

    # The process has garbage of its own now and then; that of requests would be in every count.
    assert min(counts) < REQUESTS
