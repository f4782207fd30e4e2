"""A gateway before real backends: the same responses, and whatever a backend does costs its framework alone."""

import json
import os
import signal
import threading
import time

import numpy as np
import pytest

from tests.support.deployment.relay import Relayed, relaying
from tests.support.live_service import serving, wait_until_settled

SEED = 7

HANG_S = 1


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    """A client of a service with PyTorch."""
    with serving("--frameworks", "pytorch", log=tmp_path_factory.mktemp("backend") / "log") as client:
        wait_until_settled(client)
        yield client


@pytest.fixture(scope="module")
def relay(backend):
    """A relay before the backend, whose responses a test may change."""
    with relaying(backend) as relay:
        yield relay


@pytest.fixture(scope="module")
def gateway(relay, tmp_path_factory):
    """A client of a gateway that computes JAX itself, and PyTorch through the relay."""
    options = ["--frameworks", "jax,pytorch", "--backends", f"pytorch={relay.address}", "--hang-timeout-s", str(HANG_S)]
    with serving(*options, log=tmp_path_factory.mktemp("gateway") / "log") as client:
        entries = wait_until_settled(client)
        assert all(entry["ready"] for entry in entries.values()), entries
        yield client


def reconstruct(client, framework="pytorch"):
    """Return the response to one reconstruction of three images."""
    images = np.random.default_rng(1).random((3, 784), dtype=np.float32).tolist()
    return client.post(f"/reconstruct?framework={framework}&seed={SEED}", json={"images": images})


def wait_until_back(client):
    """Return once the framework of the backend is ready again."""
    while reconstruct(client).status_code != 200:
        time.sleep(0.1)


def edit(response, change):
    """Return an infer response whose message and tensors are changed."""
    length = int(response.headers["Inference-Header-Content-Length"])
    message = json.loads(response.body[:length])
    tensors = np.frombuffer(response.body[length:], "<f4").copy()
    tensors = change(message, tensors)
    head = json.dumps(message).encode()
    headers = {**response.headers, "Inference-Header-Content-Length": str(len(head))}
    return Relayed(response.status, headers, head + tensors.tobytes())


def as_nan(_message, tensors):
    """Make every number NaN."""
    return tensors * np.float32(np.nan)


def as_other_shape(message, tensors):
    """Turn the images on their side, and cut one row off."""
    output = message["outputs"][0]
    output["shape"] = [output["shape"][0], 14, 56]
    return tensors


def as_other_model(message, tensors):
    """Claim another checkpoint."""
    message["parameters"]["checkpoint"] = "0123456789ab"
    return tensors


def test_gateway_responds_as_the_backend_does(backend, gateway):
    """The same arrays bit for bit, with the backend's device, version and checkpoint."""
    expected = reconstruct(backend).json()

    response = reconstruct(gateway).json()

    assert response == expected
    entry = gateway.get("/frameworks").json()["frameworks"][1]
    assert (entry["framework"], entry["pid"], entry["checkpoint"]) == ("pytorch", None, expected["checkpoint"])
    assert entry["model"].keys() == {"image_shape", "latent_dim"}
    assert reconstruct(gateway, "jax").status_code == 200


@pytest.mark.parametrize("path", ["/sample?framework=pytorch&seed=7&n=300", "/sample?framework=pytorch&seed=7"])
def test_every_batch_size_passes(backend, gateway, path):
    """More images than one batch, and one alone."""
    expected = np.array(backend.get(path).json()["probs"])

    np.testing.assert_allclose(gateway.get(path).json()["probs"], expected, atol=1e-6)


@pytest.mark.parametrize("rows", [1, 40])
def test_trace_continues_at_the_backend(relay, gateway, rows):
    """The backend gets the request's trace and ID, on the fast path and off it, and none of the request before."""
    trace = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01", "tracestate": "vendor=1", "x-request-id": "mine"}
    latents = {"latents": [[0] * 20] * rows}

    gateway.post("/decode?framework=pytorch", json=latents, headers=trace)
    passed = {name: relay.last_headers.get(name) for name in trace}
    gateway.post("/decode?framework=pytorch", json=latents)
    others = {name: relay.last_headers.get(name) for name in trace}

    assert passed == trace
    assert others == dict.fromkeys(trace)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _response: None, "its backend can't be reached"),
        (lambda _response: Relayed(500, {}, b"oops"), "its backend responded with 500: no reason given"),
        (lambda _response: Relayed(503, {}, b'{"error": "loading"}'), "its backend responded with 503: loading"),
        (lambda _response: Relayed(200, {}, b"{}"), "its backend sent a response that can't be read"),
        (lambda response: edit(response, as_other_shape), "its backend sent logits of shape (3, 14, 56)"),
        (lambda response: edit(response, as_other_model), "its backend has changed to checkpoint 0123456789ab"),
        (lambda response: edit(response, as_nan), "it raised FloatingPointError"),
        (lambda response: time.sleep(3 * HANG_S) or response, "didn't respond in time"),
    ],
    ids=["closed", "500", "503", "unreadable", "shape", "model", "nan", "slow"],
)
def test_fault_of_the_backend_is_a_503_of_its_framework(relay, gateway, change, reason):
    """The reason is given, the other framework loses nothing, and the backend's is back once it is well."""
    with relay.changing(lambda path, response: change(response) if path.endswith("-vae/infer") else response):
        response = reconstruct(gateway)
        others = {reconstruct(gateway, "jax").status_code for _ in range(10)}

    assert response.status_code == 503
    assert reason in response.json()["detail"]
    assert "Retry-After" in response.headers
    assert others == {200}
    wait_until_back(gateway)


@pytest.mark.parametrize("header", ["traceparent", "tracestate", "baggage", "x-request-id"])
def test_long_header_of_a_client_costs_nobody_anything(relay, gateway, header):
    """Headers that a server in between might refuse aren't sent on to the backend."""
    latents = {"latents": [[0] * 20]}

    response = gateway.post("/decode?framework=pytorch", json=latents, headers={header: "a=" + "b" * 20_000})

    assert response.status_code == 200
    assert header not in relay.last_headers


@pytest.mark.parametrize("status", [400, 413, 422, 431])
def test_batch_that_the_backend_refuses_costs_its_requests_alone(relay, gateway, status):
    """While the backend computes others, its framework stays in service."""
    refused = Relayed(status, {}, b'{"error": "too odd"}')
    with relay.changing(lambda path, response: refused if path.endswith("-decode/infer") else response):
        response = gateway.post("/decode?framework=pytorch", json={"latents": [[0] * 20]})
        entry = gateway.get("/frameworks").json()["frameworks"][1]

    assert response.status_code == 503
    assert f"computes others: its backend responded with {status}: too odd" in response.json()["detail"]
    assert entry["ready"]


def test_batches_are_no_larger_than_the_backend_takes(tmp_path):
    """A backend with a low limit serves a gateway whose clients send more."""
    options = ("--frameworks", "pytorch", "--max-images", "8")
    with serving(*options, log=tmp_path / "backend") as small:
        wait_until_settled(small)
        pairs = f"pytorch={small.base_url}"
        with serving("--frameworks", "pytorch", "--backends", pairs, log=tmp_path / "log") as client:
            (entry,) = wait_until_settled(client).values()
            response = client.get("/sample?n=100&seed=1")

    assert entry["max_batch"] == 8
    assert response.status_code == 200
    assert len(response.json()["probs"]) == 100


def test_full_queue_of_the_backend_is_a_429_and_no_fault(relay, gateway):
    """The client gets a Retry-After, and the framework stays ready."""
    full = Relayed(429, {"Retry-After": "3"}, b'{"error": "full"}')
    with relay.changing(lambda path, response: full if path.endswith("/infer") else response):
        response = reconstruct(gateway)

    assert (response.status_code, response.headers["Retry-After"]) == (429, "3")
    assert reconstruct(gateway).status_code == 200


def test_kept_connection_that_the_backend_closed_is_replaced(relay, gateway):
    """A request that meets a closed connection is sent once more, and the client sees nothing."""
    closed = threading.Event()

    def close_once(path, response):
        if path.endswith("/infer") and not closed.is_set():
            closed.set()
            return None
        return response

    with relay.changing(close_once):
        assert reconstruct(gateway).status_code == 200
    assert closed.is_set()


def test_gateway_that_starts_before_its_backend_serves_it_once_it_is_there(tmp_path, backend):
    """Until then it is alive and says why it isn't ready; no framework is installed in this process."""
    with relaying(backend) as relay:
        relay.change = lambda _path, _response: None
        pairs = f"pytorch={relay.address}"
        with serving("--frameworks", "pytorch", "--backends", pairs, log=tmp_path / "log") as client:
            refused = reconstruct(client)
            relay.change = lambda _path, response: response
            wait_until_back(client)

    assert refused.status_code == 503


def test_backend_that_is_killed_costs_its_framework_alone(tmp_path, backend):
    """A real process, killed under load."""
    with serving("--frameworks", "jax", log=tmp_path / "victim") as victim:
        wait_until_settled(victim)
        (entry,) = victim.get("/frameworks").json()["frameworks"]
        pairs = f"jax={victim.base_url},pytorch={backend.base_url}"
        with serving("--frameworks", "jax,pytorch", "--backends", pairs, log=tmp_path / "log") as client:
            wait_until_settled(client)
            statuses = []
            sending = threading.Thread(
                target=lambda: statuses.extend(reconstruct(client).status_code for _ in range(200))
            )
            sending.start()
            os.kill(entry["pid"], signal.SIGKILL)
            failed = reconstruct(client, "jax")
            sending.join()

    assert failed.status_code == 503
    assert statuses == [200] * 200
