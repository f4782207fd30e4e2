"""The order of answers while large work runs: whatever is small comes before it, from any framework."""

import select
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from app.inference.adapters.numpy_adapter import NumpyAdapter
from tests.support.app import load_jax_as, make_images, make_service, npy, post_npy, running, wait_until

LARGE = {
    "a score of 5,000 samples of 64 images": ("/score?framework=jax&samples=5000", 64, 1),
    "a reconstruction of 1,024 images": ("/reconstruct?framework=jax&format=npy", 1024, 1),
    "three reconstructions of 1,024 images": ("/reconstruct?framework=jax&format=npy", 1024, 3),
}


class PacedAdapter(NumpyAdapter):
    """Decodes several latents at once only when it is let to."""

    def __init__(self, checkpoint, *, framework):
        super().__init__(checkpoint, framework=framework)
        self.waits = threading.Semaphore(0)
        self.may_go_on = threading.Semaphore(0)
        self.is_free = False

    def decode(self, z):
        """Wait to be let, then compute."""
        if len(z) > 1 and not self.is_free:
            self.waits.release()
            assert self.may_go_on.acquire(timeout=20)
        return super().decode(z)


@pytest.fixture
def paced(checkpoints):
    """A client of a service whose JAX is paced, and its model."""
    app = make_service(checkpoints, load=load_jax_as(PacedAdapter), hang_timeout_s=0)
    with running(app) as client:
        model = app.state.registry.get("jax")
        yield client, model
        model.adapter.is_free = True
        model.adapter.may_go_on.release()


@contextmanager
def asking(client, url, array):
    """Give the connection on which an array was sent, as long as somebody waits for the answer."""
    body = npy(array)
    lines = [f"POST {url} HTTP/1.1", "Host: x", "Content-Type: application/x-npy", f"Content-Length: {len(body)}"]
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        yield connection


@pytest.mark.parametrize("name", LARGE)
def test_small_requests_are_answered_before_a_large_one(paced, name):
    """Between two pieces of large work small requests are answered, and meanwhile other frameworks and /healthz are."""
    client, model = paced
    url, images, copies = LARGE[name]
    image = make_images(1)

    with ThreadPoolExecutor(1) as pool, ExitStack() as stack:
        large = [stack.enter_context(asking(client, url, make_images(images))) for _ in range(copies)]
        assert model.adapter.waits.acquire(timeout=20)
        others = [post_npy(client, "/reconstruct?framework=pytorch", image)]
        small = []
        for path in ("/reconstruct", "/encode", "/reconstruct"):
            future = pool.submit(post_npy, client, f"{path}?framework=jax", image)
            wait_until(lambda: model.batcher._rows % images == 1)
            # A turn of the event loop, in which it hands the request over.
            others.append(client.get("/healthz"))
            model.adapter.may_go_on.release()
            small.append(future.result(20))
            assert model.adapter.waits.acquire(timeout=20)
        answered, _, _ = select.select(large, [], [], 0)

        assert [answer.status_code for answer in [*others, *small]] == [200] * 7
        assert answered == []
