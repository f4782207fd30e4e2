"""Loads that hang, their limits and imports; checks that fail; and reloads while the server stops."""

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest

from app.inference.adapters.numpy_adapter import load_numpy
from app.inference.models import loader
from app.settings import Settings
from tests.support.app import assert_problem, make_service, running, wait_until
from tests.support.checkpoints import make_checkpoint


def test_load_that_hangs_is_given_up(checkpoints, monkeypatch):
    """A framework whose loading never ends is failed after a while, with the reason; the others are served."""
    gate = threading.Event()
    monkeypatch.setattr(loader, "_GRACE_S", 0)
    monkeypatch.setattr(loader, "_SHORTEST_LOADING_S", 0)

    def load(framework, **options):
        if framework == "jax":
            gate.wait(60)
        return load_numpy(framework, **options)

    with running(make_service(checkpoints, load=load, hang_timeout_s=0.3), waits=False) as client:
        wait_until(lambda: client.get("/readyz?framework=pytorch").status_code == 200)
        wait_until(lambda: "took longer" in client.get("/readyz?framework=jax").text)
        gate.set()


def test_busy_machine_has_two_minutes_to_load():
    """A short limit for batches gives up no framework that takes half a minute to import."""
    limits = [loader.load_timeout_s(Settings(hang_timeout_s=seconds)) for seconds in (0, 0.5, 2, 30)]

    assert limits == [None, 120, 120, 300]


@pytest.mark.parametrize("error", [None, ImportError("half")])
def test_garbage_collector_rests_while_a_framework_is_imported(monkeypatch, error):
    """A collection within `ast.parse`, which imports call, can fail it; afterwards collections run again."""
    collects = []
    monkeypatch.setattr(loader, "set_thread_environment", lambda threads: None)

    def import_adapter(framework):
        collects.append(gc.isenabled())
        if error:
            raise error
        return lambda checkpoint, **options: framework

    monkeypatch.setattr(loader, "import_adapter", import_adapter)
    with nullcontext() if error is None else pytest.raises(ImportError):
        loader.make_adapter("jax", make_checkpoint(), device="cpu", threads=1)

    assert collects == [False]
    assert gc.isenabled()


def test_check_that_raises_ends_no_monitoring(checkpoints, monkeypatch, caplog):
    """An error of one check is logged once, and later faults are found as ever."""
    app = make_service(checkpoints, frameworks="jax")
    with running(app) as client:
        adapter = app.state.registry.get("jax").adapter
        faults = iter([RuntimeError("odd"), RuntimeError("odd"), "it is gone"])

        def find_fault():
            fault = next(faults)
            if isinstance(fault, Exception):
                raise fault
            return fault

        monkeypatch.setattr(adapter, "find_fault", find_fault)
        wait_until(lambda: "it is gone" in caplog.text)
        wait_until(lambda: client.get("/sample").status_code == 200)

    assert caplog.text.count("the models couldn't be checked") == 1


def test_reload_ends_when_the_server_stops(checkpoints):
    """Its client gets the reason instead of waiting for the load, and no further framework is loaded."""
    gate, loads = threading.Event(), []

    def load(framework, **options):
        loads.append(framework)
        if len(loads) > 3:
            gate.wait(60)
        return load_numpy(framework, **options)

    app = make_service(checkpoints, load=load, api_keys="k3y", shutdown_timeout_s=4)
    with running(app) as client, ThreadPoolExecutor(1) as pool:
        reload = pool.submit(client.post, "/admin/reload", headers={"X-API-Key": "k3y"})
        wait_until(lambda: len(loads) == 4)
        app.state.server.stop()
        response = reload.result(20)
        gate.set()

    assert loads[3:] == ["jax"]
    assert_problem(response, 409)
    assert "the server is stopping" in response.json()["detail"]
