"""Process-wide tuning: the garbage collector, and how many threads a framework may use."""

import gc
import subprocess
import sys

import pytest

from app.process_tuning import count_threads, freeze_gc, pin_to_core_share, raise_gc_threshold
from app.server.http_server import Server, run_server
from app.settings import Settings
from tests.support.live_service import serving, wait_until_settled
from tests.support.service_process import FRAMEWORK, environment, needs_framework


@pytest.fixture
def _thawed():
    """Nothing is exempt afterwards that wasn't before."""
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_thawed")
def test_what_is_loaded_is_looked_at_once():
    """Objects that live are exempt from collections afterwards; garbage among them is gone."""
    loaded = [[number] for number in range(10_000)]
    garbage: list[object] = []
    garbage.append(garbage)
    del garbage

    freeze_gc()

    assert gc.get_freeze_count() > len(loaded)
    assert all(item is not loaded for item in gc.get_objects())
    assert gc.collect() == 0


@pytest.fixture
def _as_before():
    """The collector's thresholds are afterwards what they were."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("_as_before")
def test_a_busy_servers_open_requests_are_no_reason_to_look_for_garbage():
    """Two thousand new objects that live start no collection, and garbage is still found in the end."""
    gc.set_threshold(700)
    gc.collect()
    raise_gc_threshold()
    collections = gc.get_stats()[0]["collections"]

    living = [[number] for number in range(2000)]
    assert gc.get_stats()[0]["collections"] == collections

    living += [[number] for number in range(2000)]
    assert gc.get_stats()[0]["collections"] > collections


@pytest.mark.parametrize(("cores", "workers", "threads"), [(8, 1, 8), (8, 3, 2), (2, 2, 1), (2, 5, 1)])
def test_workers_share_the_cores(monkeypatch, cores, workers, threads):
    """Each worker's frameworks get its share of the cores that the process may use, and at least one."""
    own = set(range(cores))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: own, raising=False)
    monkeypatch.setattr("os.sched_setaffinity", lambda _, share: own.intersection_update(share), raising=False)

    pin_to_core_share(workers - 1, workers)

    assert count_threads(workers) == threads


@pytest.mark.parametrize(("cores", "workers"), [(8, 1), (8, 3), (5, 4), (4, 4)])
def test_no_core_is_left_over(monkeypatch, cores, workers):
    """Together the workers have every core, and none twice."""
    assigned_cores = []
    for worker in range(workers):
        own = set(range(cores))
        monkeypatch.setattr("os.sched_getaffinity", lambda _, own=own: own, raising=False)
        monkeypatch.setattr(
            "os.sched_setaffinity", lambda _, share, own=own: own.intersection_update(share), raising=False
        )
        pin_to_core_share(worker, workers)
        assigned_cores += own

    assert sorted(assigned_cores) == list(range(cores))


@pytest.mark.parametrize(("cores", "workers", "threads"), [(8, 1, 8), (8, 3, 2), (2, 5, 1)])
def test_cores_are_shared_where_the_system_gives_out_none(monkeypatch, cores, workers, threads):
    """On macOS, where a process can't be kept to cores, their number is divided."""
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.delattr("os.sched_setaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: cores)

    pin_to_core_share(0, workers)

    assert count_threads(workers) == threads


@pytest.mark.usefixtures("_thawed", "_as_before")
def test_a_service_scans_its_own_objects_once():
    """Loading a model later collects garbage first, which would stop all requests if it scanned the whole service."""
    frozen = []

    class SeenAtTheStart(Server):
        def run(self, sockets=None):
            frozen.append((gc.get_freeze_count(), len(gc.get_objects())))

    run_server(Settings(frameworks=("pytorch",)), [], server_type=SeenAtTheStart)

    [(exempt, scanned)] = frozen
    assert exempt > 100 * scanned


CLOSED = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-m", "app")


@needs_framework
@pytest.mark.parametrize("option", ["--isolate=true", "--workers=2"])
def test_service_starts_without_standard_streams(tmp_path, option):
    """A caller that has closed them gets the service all the same, in the processes that it starts too."""
    with serving("--frameworks", FRAMEWORK, option, log=tmp_path / "log", command=CLOSED) as client:
        wait_until_settled(client)

        assert client.get("/sample").status_code == 200


@pytest.mark.parametrize(("command", "code"), [("models list", 0), ("client --help", 0), ("--port x", 2)])
def test_commands_have_their_exit_code_without_standard_streams(command, code):
    """Output that can't be shown is no failure."""
    assert subprocess.run([*CLOSED, *command.split()], env=environment(), check=False).returncode == code
