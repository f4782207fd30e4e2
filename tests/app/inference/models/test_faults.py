"""A framework that fails, hangs or is overrun, and a reload, as clients see them."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.support.app import (
    MODEL,
    assert_problem,
    checkpoint_path,
    make_images,
    make_service,
    post_npy,
    running,
    save_checkpoints,
    wait_until,
)
from tests.support.checkpoints import make_checkpoint, make_weights
from training.checkpoints.checkpoint import save_checkpoint


def wait_until_ready(client, framework):
    """Return once the framework is ready."""
    wait_until(lambda: client.get(f"/readyz?framework={framework}").status_code == 200)


def raises(*_arguments):
    """Fail as a framework may."""
    raise RuntimeError("secret")


def gives_nan(images, eps):
    """Answer as a model does whose weights are damaged."""
    return images * np.nan, eps, eps


@pytest.mark.parametrize("fault", [raises, gives_nan])
def test_framework_that_fails_is_taken_out_and_comes_back(checkpoints, fault):
    """The request is answered with 503, the others go on, and a fresh model is served soon after."""
    app = make_service(checkpoints)

    with running(app) as client:
        app.state.registry.get("jax").adapter.reconstruct = fault
        broken = post_npy(client, "/reconstruct?framework=jax", make_images())
        meanwhile = client.get("/readyz?framework=jax")
        other = post_npy(client, "/reconstruct?framework=pytorch", make_images())
        wait_until_ready(client, "jax")
        mended = post_npy(client, "/reconstruct?framework=jax", make_images())

    for response in (broken, meanwhile):
        assert_problem(response, 503)
        assert int(response.headers["Retry-After"]) > 0
        assert "secret" not in response.text
    assert "loaded again" in meanwhile.json()["detail"]
    assert other.status_code == mended.status_code == 200


def test_framework_that_hangs_is_taken_out_and_comes_back(checkpoints):
    """A batch that takes too long is abandoned: its requests fail with the reason, and a fresh model is served."""
    app, gate = make_service(checkpoints, hang_timeout_s=0.5), threading.Event()

    with running(app) as client:
        app.state.registry.get("jax").adapter.reconstruct = lambda images, eps: gate.wait(60)
        hung = post_npy(client, "/reconstruct?framework=jax", make_images())
        other = client.get("/sample?framework=pytorch")
        wait_until_ready(client, "jax")
        mended = post_npy(client, "/reconstruct?framework=jax", make_images())
        gate.set()

    assert_problem(hung, 503)
    assert "over 0.5 s" in hung.json()["detail"]
    assert other.status_code == mended.status_code == 200


def test_framework_that_fails_again_and_again_stays_out_until_it_loads(tmp_path):
    """While its checkpoint can't be read it is tried again; once it can, it is served."""
    folder = save_checkpoints(tmp_path)
    path = checkpoint_path(folder, "jax")
    app = make_service(folder)

    with running(app) as client:
        good = path.read_bytes()
        path.write_bytes(good[:100])
        app.state.registry.get("jax").adapter.decode = raises
        broken = client.get("/sample?framework=jax")
        time.sleep(1.5)
        still = client.get("/sample?framework=jax")
        path.write_bytes(good)
        wait_until_ready(client, "jax")

    assert_problem(broken, 503)
    assert_problem(still, 503)
    assert str(folder) not in still.text


def test_numbers_too_large_for_the_model_are_the_client_s_fault(tmp_path):
    """Latents that overflow the decoder are 422, and the framework goes on."""
    checkpoint = make_checkpoint(MODEL, make_weights(MODEL, 0), framework="jax")
    save_checkpoint(checkpoint_path(tmp_path, "jax"), checkpoint)
    latents = np.full((1, MODEL.latent_dim), 3e38, np.float32)

    with running(make_service(tmp_path, frameworks="jax")) as client:
        response = post_npy(client, "/decode", latents)
        after = post_npy(client, "/decode", latents / np.float32(1e38))

    assert_problem(response, 422)
    assert "too large" in response.json()["detail"]
    assert after.status_code == 200


def test_full_queue_is_429_at_once(checkpoints):
    """Beyond the bound requests are refused with the time to come back; other frameworks have room."""
    app, gate, begun = make_service(checkpoints, max_queue_images=4), threading.Event(), threading.Event()

    with running(app) as client, ThreadPoolExecutor(2) as pool:
        model = app.state.registry.get("jax")
        decode = model.adapter.decode

        def wait(z):
            begun.set()
            assert gate.wait(20)
            return decode(z)

        model.adapter.decode = wait
        waiting = [pool.submit(client.get, "/sample?framework=jax&n=2") for _ in range(2)]
        wait_until(lambda: begun.is_set() and model.batcher._rows == 4)
        refused = client.get("/sample?framework=jax")
        other = client.get("/sample?framework=pytorch")
        gate.set()

        assert [future.result().status_code for future in waiting] == [200, 200]
    assert_problem(refused, 429)
    assert int(refused.headers["Retry-After"]) >= 1
    assert other.status_code == 200


def test_deadline_of_the_client_is_504_and_drops_the_work(checkpoints):
    """A request whose deadline passes in the queue is 504, and is never computed."""
    app, gate, begun, calls = make_service(checkpoints), threading.Event(), threading.Event(), []

    with running(app) as client, ThreadPoolExecutor(1) as pool:
        adapter = app.state.registry.get("jax").adapter
        decode = adapter.decode

        def wait(z):
            calls.append(len(z))
            begun.set()
            assert gate.wait(20)
            return decode(z)

        adapter.decode = wait
        first = pool.submit(client.get, "/sample?framework=jax")
        assert begun.wait(20)
        late = client.get("/sample?framework=jax&n=3", headers={"X-Request-Timeout": "0.2"})
        gate.set()
        assert first.result().status_code == 200
        client.get("/sample?framework=jax&n=5")

    assert_problem(late, 504)
    assert calls == [1, 5]


@pytest.mark.parametrize("value", ["soon", "-1", "0", "nan"])
def test_deadline_that_is_no_time_is_422(client, value):
    """The header holds seconds, above 0."""
    response = client.get("/sample", headers={"X-Request-Timeout": value})

    assert_problem(response, 422)
    assert "X-Request-Timeout" in response.json()["detail"]


def test_reload_serves_the_new_checkpoint_and_loses_no_request(tmp_path):
    """Requests under way end with the model that they began with; later ones get the new one."""
    folder = save_checkpoints(tmp_path)
    app, loops = make_service(folder), []

    statuses, checkpoints, stop = [], set(), threading.Event()

    with running(app) as client, ThreadPoolExecutor(4) as pool:
        loops.append(app.state.registry._monitoring.get_loop())

        def ask():
            while not stop.is_set():
                response = client.get("/sample?framework=jax&n=2")
                statuses.append(response.status_code)
                checkpoints.add(response.json().get("checkpoint"))

        asking = [pool.submit(ask) for _ in range(4)]
        for seed in range(5):
            weights = make_weights(MODEL, 100 + seed)
            save_checkpoint(checkpoint_path(folder, "jax"), make_checkpoint(MODEL, weights, framework="jax"))
            outcome = asyncio.run_coroutine_threadsafe(app.state.registry.reload("jax"), loops[0]).result(20)
            assert outcome["jax"].is_served, outcome
            time.sleep(0.05)
        stop.set()
        for future in asking:
            future.result()

    assert set(statuses) == {200}
    assert len(checkpoints) >= 3


def test_bad_checkpoint_leaves_the_old_model_serving(tmp_path):
    """A reload that fails says why, and changes nothing."""
    folder = save_checkpoints(tmp_path)
    app = make_service(folder)

    with running(app) as client:
        loop = app.state.registry._monitoring.get_loop()
        before = client.get("/sample?framework=jax&seed=1").json()
        checkpoint_path(folder, "jax").write_bytes(b"nonsense")
        outcome = asyncio.run_coroutine_threadsafe(app.state.registry.reload("jax"), loop).result(20)["jax"]
        after = client.get("/sample?framework=jax&seed=1").json()

    assert not outcome.is_served
    assert f"checkpoint {before['checkpoint']} is still served" in outcome.message
    assert str(folder) not in outcome.message
    assert after == before
