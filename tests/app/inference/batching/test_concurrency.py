"""Many clients at once: each gets its own answer, none waits for another's model, and nothing is done for the gone."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from app.inference import operations
from tests.support.app import (
    GatedAdapter,
    load_jax_as,
    make_images,
    make_service,
    numpy_adapter_of,
    post_npy,
    read_npy,
    run_operation,
    running,
    wait_until,
)
from training.frameworks import FRAMEWORKS


@pytest.fixture
def gated(checkpoints):
    """A client of a service whose JAX waits at a gate, and its model."""
    app = make_service(checkpoints, load=load_jax_as(GatedAdapter))
    with running(app) as client:
        model = app.state.registry.get("jax")
        yield client, model
        model.adapter.gate.set()


def test_many_unlike_callers_get_their_own_answers(client, checkpoints):
    """Fifty requests at once, each with an image, a seed and a framework of its own, are answered each to itself."""
    images = make_images(50)

    def ask(index):
        framework = list(FRAMEWORKS)[index % 3]
        url = f"/reconstruct?framework={framework}&seed={index}&format=npy"
        return read_npy(post_npy(client, url, images[index : index + 1]))

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(50)))

    for index, probs in enumerate(answers):
        adapter = numpy_adapter_of(checkpoints, list(FRAMEWORKS)[index % 3])
        expected = run_operation(operations.reconstruct, adapter, images[index : index + 1], seed=index)["probs"]
        np.testing.assert_allclose(probs, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("url", ["/healthz", "/frameworks", "/sample?framework=pytorch"])
def test_a_model_that_computes_holds_nobody_else_up(gated, url):
    """While one framework computes, the event loop and the other frameworks answer."""
    client, model = gated

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.get, "/sample?framework=jax")
        assert model.adapter.begun.wait(20)
        response = client.get(url)
        was_waiting = not slow.done()
        model.adapter.gate.set()

        assert response.status_code == 200
        assert was_waiting
        assert slow.result().status_code == 200


def test_nothing_is_computed_for_a_client_that_has_gone(gated):
    """A request whose client hangs up while it queues is dropped."""
    client, model = gated

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.get, "/sample?framework=jax")
        assert model.adapter.begun.wait(20)
        with socket.create_connection((client.base_url.host, client.base_url.port)) as gone:
            gone.sendall(b"GET /sample?framework=jax HTTP/1.1\r\nHost: x\r\n\r\n")
            wait_until(lambda: model.batcher._rows == 2)
        wait_until(lambda: model.batcher._rows == 1)
        model.adapter.gate.set()
        assert slow.result().status_code == 200
        client.get("/sample?framework=jax")

    assert model.adapter.calls == 2


def test_time_in_the_queue_is_told(gated):
    """A request that waits for another sees it in Server-Timing."""
    client, model = gated

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(client.get, "/sample?framework=jax")
        assert model.adapter.begun.wait(20)
        second = pool.submit(client.get, "/sample?framework=jax")
        wait_until(lambda: model.batcher._rows == 2)
        time.sleep(0.1)
        model.adapter.gate.set()
        header = second.result().headers["Server-Timing"]

    assert first.result().status_code == 200
    assert float(header.removeprefix("queue;dur=").partition(",")[0]) > 50
